// What must be done before the loader starts TensorFlow's libraries, for afterwards it is too late.
//
// They choose their kernels by the environment: by themselves the faster ones only where the processor has AVX-512 VNNI.
// And they log several lines, before main and before any setting reaches them: neither TF_CPP_MIN_LOG_LEVEL nor absl's
// levels hold these back. A program whose errors are one line each must keep them away itself.

#include "before_libraries.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "absl/log/globals.h"

namespace drae {
namespace {

int kept = -1;
bool wanted = false;

/// The value of a variable, null where there is none: the loader has not yet given the environment to the standard
/// library. `variable` ends with =.
const char* value_of(const char* variable, char** environment) {
  for (; *environment != nullptr; ++environment) {
    if (std::strncmp(*environment, variable, std::strlen(variable)) == 0) {
      return *environment + std::strlen(variable);
    }
  }
  return nullptr;
}

/// Begins the program anew with TensorFlow's faster kernels, unless the environment says something of them.
void take_fast_kernels(char** arguments, char** environment) {
  // Without a loader of its own the program is the loader, which was told to run this one.
  const bool by_loader = getauxval(AT_BASE) == 0;
  if (by_loader || value_of("TF_ENABLE_ONEDNN_OPTS=", environment) != nullptr) {
    return;
  }
  std::vector<char*> more;
  for (; *environment != nullptr; ++environment) {
    more.push_back(*environment);
  }
  static char fast[] = "TF_ENABLE_ONEDNN_OPTS=1";
  more.insert(more.end(), {fast, nullptr});
  // Where it cannot be begun anew it goes on with the slower ones.
  execve("/proc/self/exe", arguments, more.data());
}

void close_standard_error(char** environment) {
  const char* const level = value_of("TF_CPP_MIN_LOG_LEVEL=", environment);
  wanted = level != nullptr && level[0] >= '0' && level[0] <= '2' && level[1] == '\0';
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

void before(int, char** arguments, char** environment) {
  take_fast_kernels(arguments, environment);
  close_standard_error(environment);
}

// The loader calls what stands in this section of a program before it starts any library.
__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char**, char**) = before;

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
