#pragma once

#include <string>
#include <vector>

#include "command_line.h"
#include "drae_client/inspector.h"
#include "patch_list.h"

namespace drae {

/// What the program found.
struct Findings {
  std::vector<float> scores;
  std::vector<std::string> heatmaps;  ///< their files; empty without
  std::vector<double> milliseconds;   ///< of timed calls, sorted; empty without
};

/// The JSON document that goes to standard output.
std::string report(const Command& command, const Inspector& inspector, const PatchBatch& batch,
                   const Findings& findings);

}  // namespace drae
