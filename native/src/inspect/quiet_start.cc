// TensorFlow's libraries log several lines while the loader starts them, before main and before any setting reaches
// them: neither TF_CPP_MIN_LOG_LEVEL nor absl's levels hold these back. A program whose errors are one line each must
// keep them away itself.

#include "quiet_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "absl/log/globals.h"

namespace drae {
namespace {

int kept = -1;
bool wanted = false;

void close_standard_error(int, char**, char** environment) {
  // The loader has not yet given the environment to the standard library.
  constexpr const char* kVariable = "TF_CPP_MIN_LOG_LEVEL=";
  for (; *environment != nullptr; ++environment) {
    if (std::strncmp(*environment, kVariable, std::strlen(kVariable)) == 0) {
      const char* const value = *environment + std::strlen(kVariable);
      wanted = value[0] >= '0' && value[0] <= '2' && value[1] == '\0';
    }
  }
  if (wanted) {
    return;
  }
  const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (nothing >= 0 && kept >= 0) {
    dup2(nothing, STDERR_FILENO);
  }
  if (nothing > STDERR_FILENO) {
    close(nothing);
  }
}

// The loader calls what stands in this section of a program before it starts any library.
__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char**, char**) =
    close_standard_error;

}  // namespace

void open_standard_error() {
  if (wanted) {
    return;
  }
  if (kept >= 0) {
    dup2(kept, STDERR_FILENO);
    close(kept);
  }
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kInfinity);
}

}  // namespace drae
