#include "model_folder.h"

#include <cmath>
#include <map>
#include <set>

#include "drae_client/error.h"
#include "json_file.h"
#include "sha256.h"

namespace drae {
namespace {

constexpr const char* kCard = "model.json";
constexpr const char* kKerasFile = "drae.keras";
constexpr const char* kSavedModel = "saved_model";
constexpr const char* kSavedModelEntry = "saved_model_sha256";
// More pixels than any patch has; below it p x p x count cannot overflow.
constexpr double kMostPixels = 1 << 15;

std::string file_digest(const std::filesystem::path& file, const std::string& expected) {
  Sha256 digest;
  digest.add(read_file(file, expected));
  return digest.hex();
}

// As Python's saved_model_digest: over the lines that sha256sum prints for the files, in the order of their names.
std::string folder_digest(const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> files;
  try {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        files[entry.path().lexically_relative(folder).generic_string()] = entry.path();
      }
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(folder.string() + ": expected the SavedModel of a trained model, got: " + error.code().message());
  }
  Sha256 digest;
  for (const auto& [name, file] : files) {
    digest.add(file_digest(file, "a file of the SavedModel"));
    digest.add("  " + name + "\n");
  }
  return digest.hex();
}

void check_folder(const std::filesystem::path& folder) {
  const std::string refusal = folder.string() + ": expected a model folder, with model.json and saved_model, got ";
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    throw Error(refusal + "no such folder");
  }
  if (!std::filesystem::is_directory(folder, error)) {
    throw Error(refusal + "a file");
  }
  if (std::filesystem::exists(folder / "saved_model.pb", error)) {
    throw Error(refusal + "the SavedModel itself; name the folder above it");
  }
}

}  // namespace

ModelFolder read_model_folder(const std::filesystem::path& folder) {
  check_folder(folder);
  const JsonFile card(folder / kCard, "the card of a trained model");
  ModelFolder read{folder / kSavedModel, {}, 0, card.texts({"regions"})};

  const double size = card.number({"patch_size"});
  if (!(size >= 1 && size <= kMostPixels && std::floor(size) == size)) {
    throw Error((folder / kCard).string() + ": expected a whole number of pixels at patch_size");
  }
  read.patch_size = static_cast<std::size_t>(size);
  if (std::set<std::string>(read.regions.begin(), read.regions.end()).size() != read.regions.size()) {
    throw Error((folder / kCard).string() + ": expected each name once at regions");
  }

  // As Python's model_digest: over the digests of both files.
  Sha256 digest;
  digest.add(file_digest(folder / kKerasFile, "a trained model, whose digest names it in logs"));
  digest.add("\n");
  digest.add(file_digest(folder / kCard, "the card of a trained model"));
  read.digest = digest.hex();

  std::error_code error;
  if (!std::filesystem::is_directory(read.saved_model, error)) {
    throw Error(read.saved_model.string() + ": expected the SavedModel of a trained model, got no such folder");
  }
  const std::string named = card.text({kSavedModelEntry});
  const std::string came = folder_digest(read.saved_model);
  if (came != named) {
    throw Error(read.saved_model.string() + ": expected the SavedModel that " + kCard + " names at " +
                kSavedModelEntry + ", " + named + ", got " + came + "; copy the whole model folder again");
  }
  return read;
}

}  // namespace drae
