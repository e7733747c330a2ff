#pragma once

#include <stdexcept>

namespace drae {

/// What can go wrong with a model, patches or thresholds: what was expected, what came, what to do; for people.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace drae
