#include "drae_client/thresholds.h"

#include <cmath>

#include "json_file.h"

namespace drae {

Thresholds read_thresholds(const std::filesystem::path& file, const Inspector& inspector) {
  // Another format may mean another rule.
  constexpr double kFormat = 3;

  const JsonFile json(file, "thresholds");
  if (json.number({"format_version"}) != kFormat) {
    throw Error(file.string() + ": expected thresholds of format_version 3, got another; calibrate again, or build " +
                "the client that belongs to them");
  }
  const std::string bound = json.text({"binding", "model_digest"});
  if (bound != inspector.digest()) {
    throw Error(file.string() + ": expected thresholds of the model " + inspector.digest() + ", got those of " + bound +
                "; calibrate again, or take the model that they belong to");
  }
  Thresholds thresholds;
  for (const std::string& region : inspector.regions()) {
    const double value = json.number({"levels", "strip", region, "value"});
    if (!std::isfinite(value)) {
      throw Error(file.string() + ": expected a finite threshold for " + region);
    }
    thresholds[region] = value;
  }
  return thresholds;
}

}  // namespace drae
