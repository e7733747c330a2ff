#include "drae_client/inspector.h"

#include <algorithm>
#include <cmath>

#include "model_folder.h"
#include "saved_model.h"

namespace drae {
namespace {

// The first call prepares the graph; the second still finds memory for the first time. Later ones are alike.
constexpr int kWarmUps = 2;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

struct Inspector::Parts {
  Parts(const std::filesystem::path& place, Threads threads)
      : folder(read_model_folder(place)), model(folder.saved_model.string(), folder.patch_size, threads) {
    if (model.takes_regions() && folder.regions.empty()) {
      throw Error(place.string() + ": expected the names of regions in model.json, for the SavedModel takes their " +
                  "numbers, got none; train it again");
    }
  }

  Examined run(const std::uint8_t* patches, std::size_t count, const std::vector<std::int32_t>& regions,
               bool with_heatmaps) const {
    check_call(count, regions);
    Examined examined = model.run(patches, count, regions.data(), with_heatmaps);
    const auto broken = std::find_if_not(examined.scores.begin(), examined.scores.end(),
                                         [](float score) { return std::isfinite(score); });
    if (broken != examined.scores.end()) {
      throw Error("patch " + std::to_string(broken - examined.scores.begin()) + ", counted from 0: expected a " +
                  "finite score, got " + std::to_string(*broken) + "; it can be judged neither good nor defective");
    }
    return examined;
  }

  void check_call(std::size_t count, const std::vector<std::int32_t>& regions) const {
    if (count == 0 || (batch != 0 && count != batch)) {
      throw Error("expected " + (batch == 0 ? "one patch or more" : "the fixed batch of " + std::to_string(batch)) +
                  ", got " + std::to_string(count));
    }
    const std::size_t expected = model.takes_regions() ? count : 0;
    if (regions.size() != expected) {
      throw Error("regions: the model takes " +
                  (expected == 0 ? std::string("none") : "one for each of " + std::to_string(count) + " patches") +
                  ", got " + std::to_string(regions.size()));
    }
    for (const std::int32_t region : regions) {
      if (region < 0 || static_cast<std::size_t>(region) >= folder.regions.size()) {
        throw Error("regions: expected numbers from 0, of " + joined(folder.regions) + ", got " +
                    std::to_string(region));
      }
    }
  }

  ModelFolder folder;
  SavedModel model;
  std::size_t batch = 0;  // 0: any
};

Inspector::Inspector(const std::filesystem::path& folder, Threads threads)
    : parts_(std::make_unique<Parts>(folder, threads)) {}
Inspector::~Inspector() = default;
Inspector::Inspector(Inspector&&) noexcept = default;
Inspector& Inspector::operator=(Inspector&&) noexcept = default;

const std::string& Inspector::digest() const { return parts_->folder.digest; }
std::size_t Inspector::patch_size() const { return parts_->folder.patch_size; }
const std::vector<std::string>& Inspector::regions() const { return parts_->folder.regions; }
bool Inspector::takes_regions() const { return parts_->model.takes_regions(); }

std::vector<std::int32_t> Inspector::region_numbers(const std::vector<std::string>& names) const {
  std::vector<std::int32_t> numbers;
  for (const std::string& name : names) {
    const auto found = std::find(regions().begin(), regions().end(), name);
    if (found == regions().end()) {
      throw Error("expected patches of the regions that the model was trained on, " + joined(regions()) + ", got " +
                  (name.empty() ? "an empty name" : name));
    }
    numbers.push_back(static_cast<std::int32_t>(found - regions().begin()));
  }
  return numbers;
}

void Inspector::fix_batch(std::size_t patches) {
  if (patches == 0) {
    throw Error("expected a batch of one patch or more, got 0");
  }
  const std::vector<std::uint8_t> black(patches * patch_size() * patch_size());
  const std::vector<std::int32_t> regions(patches);
  for (const bool with_heatmaps : {true, false}) {
    for (int call = 0; call < kWarmUps; ++call) {
      parts_->model.run(black.data(), patches, regions.data(), with_heatmaps);
    }
  }
  parts_->batch = patches;
}

std::vector<float> Inspector::score(const std::uint8_t* patches, std::size_t count,
                                    const std::vector<std::int32_t>& regions) const {
  return parts_->run(patches, count, regions, false).scores;
}

Examined Inspector::inspect(const std::uint8_t* patches, std::size_t count,
                            const std::vector<std::int32_t>& regions) const {
  return parts_->run(patches, count, regions, true);
}

}  // namespace drae
