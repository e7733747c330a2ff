#include "patch_list.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <sstream>

#include "json_file.h"
#include "patch_files.h"

namespace drae {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

/// The names that a group's patches take in turn; one empty name where the model takes none.
std::vector<std::string> turn(const PatchGroup& group, const Inspector& inspector) {
  const auto& known = inspector.regions();
  if (!inspector.takes_regions()) {
    if (!group.regions.empty()) {
      throw Error(group.place + ": expected no region, for this model takes none, got " + group.regions);
    }
    return {""};
  }
  if (group.regions.empty()) {
    std::string names;
    for (const std::string& name : known) {
      names += (names.empty() ? "" : ", ") + name;
    }
    throw Error(group.place + ": expected its region, one of " + names + ", for this model judges a patch as one of " +
                "its region; say it with --region, or in the list");
  }
  // A name may hold a comma itself.
  const bool whole = std::find(known.begin(), known.end(), group.regions) != known.end();
  const std::vector<std::string> names = whole ? std::vector{group.regions} : split(group.regions, ',');
  try {
    inspector.region_numbers(names);
  } catch (const Error& error) {
    throw Error(group.place + ": " + error.what());
  }
  return names;
}

}  // namespace

std::vector<PatchGroup> read_list(const std::string& file) {
  const bool standard_input = file == "-";
  const std::string name = standard_input ? "standard input" : file;
  const std::string text = standard_input ? std::string(std::istreambuf_iterator<char>(std::cin), {})
                                          : read_file(file, "a list of patches");
  std::vector<PatchGroup> groups;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    // Lists that were written on Windows end their lines with both.
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    if (line.empty()) {
      continue;
    }
    PatchGroup group{name + ":" + std::to_string(number), {}, {line}};
    // The name that reaches the system would end there, and be that of another file.
    if (line.find('\0') != std::string::npos) {
      throw Error(group.place + ": expected a region, a tab and a file, got a zero byte");
    }
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) {
      group.regions = line.substr(0, tab);
      group.files = {line.substr(tab + 1)};
    }
    groups.push_back(group);
  }
  if (groups.empty()) {
    throw Error(name + ": expected a list of patches, got none");
  }
  return groups;
}

PatchBatch read_patches(const std::vector<PatchGroup>& groups, bool raw, const Inspector& inspector) {
  // Before any file is read: what is said of regions is quick to judge.
  std::vector<std::vector<std::string>> turns;
  for (const PatchGroup& group : groups) {
    turns.push_back(turn(group, inspector));
  }

  const PatchReader reader(inspector.patch_size(), raw);
  PatchBatch batch;
  for (std::size_t number = 0; number < groups.size(); ++number) {
    const std::vector<std::string>& names = turns[number];
    std::size_t taken = 0;
    for (const std::string& file : groups[number].files) {
      const std::size_t count = reader.append(file, batch.pixels);
      for (std::size_t place = 0; place < count; ++place) {
        batch.patches.push_back({file, place, names[taken++ % names.size()]});
      }
    }
    if (taken % names.size() != 0) {
      throw Error(groups[number].place + ": expected a multiple of " + std::to_string(names.size()) +
                  " patches, one for each region in turn, got " + std::to_string(taken));
    }
  }
  if (inspector.takes_regions()) {
    std::vector<std::string> names;
    for (const Patch& patch : batch.patches) {
      names.push_back(patch.region);
    }
    batch.regions = inspector.region_numbers(names);
  }
  return batch;
}

}  // namespace drae
