// drae_inspect: patches to scores, as JSON. `drae_inspect --help` says how.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "before_libraries.h"
#include "command_line.h"
#include "drae_client/inspector.h"
#include "heatmap_files.h"
#include "patch_list.h"
#include "report.h"
#include "timing.h"

namespace {

constexpr int kRefused = 1;
constexpr int kUsage = 2;

std::string inspect(const drae::Command& command) {
  drae::Inspector inspector(command.model, command.threads);
  const auto groups = command.list ? drae::read_list(*command.list) : command.groups;
  const drae::PatchBatch batch = drae::read_patches(groups, command.raw, inspector);
  const std::size_t count = batch.patches.size();

  drae::Findings findings;
  if (command.heatmaps) {
    findings.heatmaps = drae::heatmap_files(*command.heatmaps, count);
  }
  drae::Examined examined;
  const auto call = [&] {
    if (command.heatmaps) {
      examined = inspector.inspect(batch.pixels.data(), count, batch.regions);
    } else {
      examined.scores = inspector.score(batch.pixels.data(), count, batch.regions);
    }
  };
  if (command.repeat > 0) {
    inspector.fix_batch(count);
    findings.milliseconds = drae::time_calls(command.repeat, call);
  } else {
    call();
  }
  findings.scores = examined.scores;
  if (command.heatmaps) {
    drae::write_heatmaps(findings.heatmaps, examined.heatmaps, inspector.patch_size());
  }
  return drae::report(command, inspector, batch, findings);
}

std::string answer(const drae::CommandLine& line) {
  switch (line.wish) {
    case drae::Wish::kHelp: return drae::kHelp;
    case drae::Wish::kVersion:
      return std::string("drae_inspect ") + DRAE_CLIENT_VERSION + ", TensorFlow " + drae::tensorflow_version() + "\n";
    case drae::Wish::kInspect: break;
  }
  return inspect(line.command);
}

/// One line, whatever stands in the name of a file.
void complain(const std::string& words) {
  std::string line;
  for (const char character : words) {
    const auto code = static_cast<unsigned char>(character);
    line += code < 0x20 || code == 0x7f ? '?' : character;
  }
  std::fprintf(stderr, "error: %s\n", line.c_str());
}

}  // namespace

int main(int count, char** words) {
  drae::open_standard_error();
  try {
    const std::vector<std::string> arguments(words + (count > 0 ? 1 : 0), words + count);
    const std::string text = answer(drae::read_command_line(arguments));
    std::fwrite(text.data(), 1, text.size(), stdout);
    // A full disk must not look like success.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw drae::Error("standard output: cannot be written");
    }
    return 0;
  } catch (const drae::UsageError& error) {
    complain(std::string(error.what()) + "; drae_inspect --help says how");
    return kUsage;
  } catch (const std::exception& error) {
    complain(error.what());
    return kRefused;
  }
}
