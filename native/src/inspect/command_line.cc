#include "command_line.h"

#include <charconv>
#include <cstddef>

namespace drae {

const char* const kHelp = R"(drae_inspect: scores patches of vial strips with a trained model

Usage:
  drae_inspect --model FOLDER [OPTION...] [--region NAMES] PATCH... [--region NAMES PATCH...]...
  drae_inspect --model FOLDER [OPTION...] --list FILE

  PATCH is an image of p x p pixels, 8 bit grey: PNG, or binary PGM. p is the model's patch_size.
  All patches make one batch. A score is 0 for a perfect reconstruction, greater for what the model
  does not know. Standard output has one JSON document: the model with its digest, and file, region
  and score of each patch, in the order given.

Options:
  --model FOLDER    holds model.json, drae.keras and saved_model/, as training leaves it
  --region NAMES    the region of the patches that follow, up to the next --region. Several names,
                    separated by commas, are taken in turn: with --region R0,R1 the first patch is
                    of R0, the second of R1, the third of R0. The patches must come out even.
                    Needed where the model takes regions, refused where it does not.
  --list FILE       patches from a text file instead, or from standard input (-): one a line, as
                    NAMES, a tab, PATH; or PATH alone for a model without regions
  --raw             files hold bytes of pixels and nothing else: patches in rows, one after another
  --heatmaps FOLDER write a heatmap of each patch there, as heatmap_0000.png, heatmap_0001.png, ...
  --repeat N        time N further calls, after warm-up, and add milliseconds per call
  --intra-op N      threads that share one operation; 0, the default: one for each core
  --inter-op N      threads that run operations side by side; 0, the default: one for each core
  --help            print this
  --version         print the versions of this program and of TensorFlow
  --                what follows are patches, also where a name begins with a dash

Examples:
  Two patches of one region, one of another:
    drae_inspect --model models/drae --region R0 a.png b.png --region R2 c.png
  A strip of 5 vials, whose files sort by vial and region:
    drae_inspect --model models/drae --region R0,R1,R2,R3 strip/vial*_R*.png
  The same as 20 x 256 x 256 bytes of one file, with heatmaps:
    drae_inspect --model models/drae --raw --region R0,R1,R2,R3 --heatmaps maps strip.raw
  Time for a batch, on one core:
    drae_inspect --model models/drae --raw --region R0 --repeat 200 --intra-op 1 slot.raw
  From another program:
    printf 'R0\ta.png\nR1\tb.png\n' | drae_inspect --model models/drae --list -

Exit status: 0; 1 where a model or a patch is refused, with one line, "error: ...", on standard
error, and nothing on standard output; 2 for a command line that is not understood.

TensorFlow's own messages are kept back; TF_CPP_MIN_LOG_LEVEL=0 in the environment shows them.
)";

namespace {

int read_number(const std::string& option, const std::string& text, int least) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || read != end || number < least) {
    throw UsageError(option + ": expected a whole number of " + std::to_string(least) + " or more, got '" + text + "'");
  }
  return number;
}

/// The arguments, one after another; `--option=VALUE` is the same as `--option VALUE`.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& all) : all_(all) {}

  bool next() {
    if (at_ == all_.size()) {
      return false;
    }
    word_ = all_[at_++];
    value_.reset();
    is_option_ = !only_files_ && word_.size() > 1 && word_.front() == '-';
    if (is_option_ && word_ == "--") {
      only_files_ = true;
      return next();
    }
    const std::size_t equals = word_.find('=');
    if (is_option_ && equals != std::string::npos) {
      value_ = word_.substr(equals + 1);
      word_.resize(equals);
    }
    return true;
  }

  bool is_option() const { return is_option_; }
  const std::string& word() const { return word_; }

  std::string value() {
    if (!value_ && at_ < all_.size()) {
      value_ = all_[at_++];
    }
    if (!value_ || value_->empty()) {
      throw UsageError(word_ + ": expected a value after it");
    }
    return *value_;
  }

  void no_value() const {
    if (value_) {
      throw UsageError(word_ + ": expected no value, got '" + *value_ + "'");
    }
  }

 private:
  const std::vector<std::string>& all_;
  std::size_t at_ = 0;
  std::string word_;
  std::optional<std::string> value_;
  bool is_option_ = false;
  bool only_files_ = false;
};

void check(const Command& command) {
  if (command.model.empty()) {
    throw UsageError("expected --model FOLDER");
  }
  for (const PatchGroup& group : command.groups) {
    if (!group.regions.empty() && group.files.empty()) {
      throw UsageError(group.place + ": expected patches after it");
    }
  }
  if (command.list && !command.groups.empty()) {
    throw UsageError("expected --list, or patches on the command line, got both");
  }
  if (!command.list && command.groups.empty()) {
    throw UsageError("expected patches, or --list FILE");
  }
}

}  // namespace

CommandLine read_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  Command& command = line.command;
  Arguments rest(arguments);
  while (rest.next()) {
    const std::string word = rest.word();
    if (!rest.is_option()) {
      if (command.groups.empty()) {
        command.groups.push_back({word, {}, {}});
      }
      command.groups.back().files.push_back(word);
    } else if (word == "--help" || word == "--version") {
      rest.no_value();
      line.wish = word == "--help" ? Wish::kHelp : Wish::kVersion;
      return line;
    } else if (word == "--raw") {
      rest.no_value();
      command.raw = true;
    } else if (word == "--model") {
      command.model = rest.value();
    } else if (word == "--region") {
      const std::string names = rest.value();
      command.groups.push_back({"--region " + names, names, {}});
    } else if (word == "--list") {
      command.list = rest.value();
    } else if (word == "--heatmaps") {
      command.heatmaps = rest.value();
    } else if (word == "--repeat") {
      command.repeat = read_number(word, rest.value(), 1);
    } else if (word == "--intra-op") {
      command.threads.intra_op = read_number(word, rest.value(), 0);
    } else if (word == "--inter-op") {
      command.threads.inter_op = read_number(word, rest.value(), 0);
    } else {
      throw UsageError("expected one of the options, got " + word);
    }
  }
  check(command);
  return line;
}

}  // namespace drae
