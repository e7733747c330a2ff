#pragma once

#include <functional>
#include <vector>

namespace drae {

/// Milliseconds of calls, sorted.
std::vector<double> time_calls(int calls, const std::function<void()>& call);

/// The middle one, or the mean of the two in the middle.
double median(const std::vector<double>& sorted);

/// The least value that a share of all values does not exceed (nearest rank): p99 of up to 99 calls is the slowest.
double percentile(const std::vector<double>& sorted, double share);

}  // namespace drae
