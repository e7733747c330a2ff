#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "drae_client/error.h"
#include "drae_client/inspector.h"

namespace drae {

/// By region the threshold of an acquisition: a patch is rejected where `score > threshold`, and its strip with it.
///
/// The values are doubles and a score is compared as one: a float32 score equal to its threshold is accepted, as in
/// Python.
using Thresholds = std::map<std::string, double>;

/// Reads `thresholds.json`.
///
/// Args:
///   file: that the calibration wrote; its level `strip` is read.
///   inspector: the model whose scores will be judged. Thresholds of another model are refused, and such that lack one
///     of its regions.
Thresholds read_thresholds(const std::filesystem::path& file, const Inspector& inspector);

}  // namespace drae
