// How a machine uses the library: load and warm up once, then one call for each strip.
//
//   example_embed MODEL_FOLDER THRESHOLDS STRIP.raw...
//
// A file stands for what cameras and cutting leave in memory: patches vial by vial, in each the regions in the model's
// order, p x p bytes each.

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "drae_client/inspector.h"
#include "drae_client/thresholds.h"

namespace {

constexpr std::size_t kVials = 5;

std::vector<std::uint8_t> acquire(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  return std::vector<std::uint8_t>(std::istreambuf_iterator<char>(stream), {});
}

void run(int strips, char** files, const char* model, const char* thresholds_file) {
  drae::Inspector inspector(model);
  const drae::Thresholds thresholds = drae::read_thresholds(thresholds_file, inspector);

  // The order of patches is the same for every strip, and so are the numbers of their regions.
  std::vector<std::string> names;
  for (std::size_t vial = 0; vial < kVials; ++vial) {
    names.insert(names.end(), inspector.regions().begin(), inspector.regions().end());
  }
  const std::vector<std::int32_t> regions =
      inspector.takes_regions() ? inspector.region_numbers(names) : std::vector<std::int32_t>{};
  inspector.fix_batch(names.size());

  for (int strip = 0; strip < strips; ++strip) {
    // One strip that cannot be inspected is rejected, and the machine goes on.
    try {
      const std::vector<std::uint8_t> pixels = acquire(files[strip]);
      if (pixels.size() != names.size() * inspector.patch_size() * inspector.patch_size()) {
        throw drae::Error("not the patches of one strip");
      }
      const auto begin = std::chrono::steady_clock::now();
      const std::vector<float> scores = inspector.score(pixels.data(), names.size(), regions);
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;

      bool reject = false;
      for (std::size_t number = 0; number < scores.size(); ++number) {
        reject = reject || scores[number] > thresholds.at(names[number]);
      }
      std::printf("%s %s %.1f ms\n", reject ? "reject" : "accept", files[strip], taken.count());
    } catch (const std::exception& error) {
      std::printf("reject %s not inspected: %s\n", files[strip], error.what());
    }
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fprintf(stderr, "usage: example_embed MODEL_FOLDER THRESHOLDS STRIP.raw...\n");
    return 2;
  }
  try {
    run(count - 3, words + 3, words[1], words[2]);
    return 0;
  } catch (const std::exception& error) {
    // Without model and thresholds nothing can be inspected.
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
