#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "drae_client/error.h"

namespace drae {

/// Threads of TensorFlow; 0 leaves the number to TensorFlow, which takes one for each core.
struct Threads {
  int intra_op = 0;  ///< that share one operation
  int inter_op = 0;  ///< that run operations side by side
};

/// What a model says of patches.
struct Examined {
  std::vector<float> scores;    ///< one for each patch; 0 for a perfect reconstruction
  std::vector<float> heatmaps;  ///< [patches, p, p] in rows, 0 to 1
};

/// A trained model, loaded once: raw patches to scores.
///
/// A patch is p x p bytes of 8 bit grey in rows, p being `patch_size()`. Patches of one call lie one after another.
/// Calls may come from several threads at once, but for `fix_batch`. Every failure is an `Error`.
class Inspector {
 public:
  /// Loads a model folder: `model.json`, `drae.keras` and `saved_model/`.
  explicit Inspector(const std::filesystem::path& folder, Threads threads = {});
  ~Inspector();
  Inspector(Inspector&&) noexcept;
  Inspector& operator=(Inspector&&) noexcept;

  /// Names the model in logs and in thresholds: SHA-256 over `drae.keras` and `model.json`, as Python's `model_digest`.
  const std::string& digest() const;

  /// Side of a patch in pixels.
  std::size_t patch_size() const;

  /// Names of the regions that the model was trained on; their order gives them their numbers.
  const std::vector<std::string>& regions() const;

  /// Whether calls need the region of each patch.
  bool takes_regions() const;

  /// Numbers of regions, as calls take them.
  std::vector<std::int32_t> region_numbers(const std::vector<std::string>& names) const;

  /// Warms up with batches of so many patches; from then on calls with another number are refused.
  ///
  /// The first call of `score` and that of `inspect` take seconds, for TensorFlow prepares the graph. A strip of which
  /// a patch is missing must not pass because the others are good.
  void fix_batch(std::size_t patches);

  /// Scores patches.
  ///
  /// Args:
  ///   patches: count x p x p bytes. Memory aligned to 64 bytes is read where it lies, other is copied first.
  ///   count: of patches.
  ///   regions: one number for each patch where the model takes regions, else empty.
  ///
  /// Returns: a finite score for each patch.
  std::vector<float> score(const std::uint8_t* patches, std::size_t count,
                           const std::vector<std::int32_t>& regions = {}) const;

  /// Scores patches and says where they differ from their reconstructions; arguments as of `score`.
  Examined inspect(const std::uint8_t* patches, std::size_t count,
                   const std::vector<std::int32_t>& regions = {}) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Version of the TensorFlow that runs, for logs: "2.21.0".
std::string tensorflow_version();

}  // namespace drae
