#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "drae_client/inspector.h"

namespace drae {

/// A command line that says nothing that can be done.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Files that share what was said of their regions.
struct PatchGroup {
  /// Where it was said, for errors: `--region R0,R1`, or a line of a list.
  std::string place;
  /// Names that the patches take in turn, separated by commas; empty where none were told.
  std::string regions;
  std::vector<std::string> files;
};

struct Command {
  std::string model;
  bool raw = false;
  std::vector<PatchGroup> groups;
  std::optional<std::string> list;      ///< file with regions and files; `-` is standard input
  std::optional<std::string> heatmaps;  ///< folder to write to
  int repeat = 0;                       ///< timed calls; 0: none
  Threads threads;
};

enum class Wish { kInspect, kHelp, kVersion };

struct CommandLine {
  Wish wish = Wish::kInspect;
  Command command;
};

/// Reads the arguments, without the program's name; throws `UsageError`.
CommandLine read_command_line(const std::vector<std::string>& arguments);

/// What `--help` prints.
extern const char* const kHelp;

}  // namespace drae
