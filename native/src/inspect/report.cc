#include "report.h"

#include <cstddef>

#include "json_text.h"
#include "timing.h"

namespace drae {
namespace {

// Changes with the meaning of a key; further keys may come without.
constexpr int kFormat = 1;

std::string model(const Command& command, const Inspector& inspector) {
  std::string regions;
  for (const std::string& name : inspector.regions()) {
    regions += (regions.empty() ? "" : ", ") + json_string(name);
  }
  return "{\"folder\": " + json_string(command.model) + ", \"digest\": " + json_string(inspector.digest()) +
         ", \"patch_size\": " + std::to_string(inspector.patch_size()) + ", \"regions\": [" + regions +
         "], \"takes_regions\": " + (inspector.takes_regions() ? "true" : "false") + "}";
}

std::string patch(const Patch& one, const Findings& findings, std::size_t number) {
  // A float as a double, in all its digits: so it compares with the thresholds, which are written in the same way.
  return "{\"file\": " + json_string(one.file) + ", \"place\": " + std::to_string(one.place) +
         ", \"region\": " + (one.region.empty() ? "null" : json_string(one.region)) +
         ", \"score\": " + json_number(static_cast<double>(findings.scores[number])) +
         ", \"heatmap\": " + (findings.heatmaps.empty() ? "null" : json_string(findings.heatmaps[number])) + "}";
}

std::string timing(const std::vector<double>& milliseconds) {
  return "{\"calls\": " + std::to_string(milliseconds.size()) +
         ", \"median_ms\": " + json_number(median(milliseconds)) +
         ", \"p99_ms\": " + json_number(percentile(milliseconds, 0.99)) +
         ", \"fastest_ms\": " + json_number(milliseconds.front()) +
         ", \"slowest_ms\": " + json_number(milliseconds.back()) + "}";
}

}  // namespace

std::string report(const Command& command, const Inspector& inspector, const PatchBatch& batch,
                   const Findings& findings) {
  std::string patches;
  for (std::size_t number = 0; number < batch.patches.size(); ++number) {
    patches += (number == 0 ? "\n  " : ",\n  ") + patch(batch.patches[number], findings, number);
  }
  return "{\n \"format_version\": " + std::to_string(kFormat) + ",\n \"model\": " + model(command, inspector) +
         ",\n \"tensorflow\": " + json_string(tensorflow_version()) +
         ",\n \"threads\": {\"intra_op\": " + std::to_string(command.threads.intra_op) +
         ", \"inter_op\": " + std::to_string(command.threads.inter_op) + "},\n \"patches\": [" + patches +
         "\n ],\n \"timing\": " + (findings.milliseconds.empty() ? "null" : timing(findings.milliseconds)) + "\n}\n";
}

}  // namespace drae
