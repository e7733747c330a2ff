#include "timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace drae {

std::vector<double> time_calls(int calls, const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> milliseconds;
  for (int number = 0; number < calls; ++number) {
    const Clock::time_point begin = Clock::now();
    call();
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return milliseconds;
}

double median(const std::vector<double>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double percentile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace drae
