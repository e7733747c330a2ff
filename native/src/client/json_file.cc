#include "json_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "drae_client/error.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tf_handles.h"

namespace drae {

using google::protobuf::Value;

std::string read_file(const std::filesystem::path& file, const std::string& expected) {
  const std::string refusal = file.string() + ": expected " + expected + ", got: ";
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error(refusal + (std::filesystem::is_directory(status) ? "a folder" : "something that is not a plain file"));
  }
  const std::unique_ptr<std::FILE, DeleteBy<std::fclose>> stream(std::fopen(file.c_str(), "rb"));
  if (!stream) {
    throw Error(refusal + std::strerror(errno));
  }
  std::string bytes;
  std::vector<char> piece(1 << 20);
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), stream.get())) {
    bytes.append(piece.data(), count);
  }
  if (std::ferror(stream.get()) != 0) {
    throw Error(refusal + std::strerror(errno));
  }
  return bytes;
}

JsonFile::JsonFile(std::filesystem::path file, std::string expected)
    : file_(std::move(file)),
      expected_(std::move(expected)),
      object_(std::make_unique<google::protobuf::Struct>()) {
  const auto status = google::protobuf::util::JsonStringToMessage(read_file(file_, expected_), object_.get());
  if (!status.ok()) {
    throw Error(file_.string() + ": expected " + expected_ +
                ", got no JSON object: " + first_line(std::string(status.message())));
  }
}

JsonFile::~JsonFile() = default;

const Value* JsonFile::find(const std::vector<std::string>& keys) const {
  const google::protobuf::Struct* object = object_.get();
  const Value* value = nullptr;
  for (const std::string& key : keys) {
    const auto found = object->fields().find(key);
    if (found == object->fields().end()) {
      return nullptr;
    }
    value = &found->second;
    object = &value->struct_value();
  }
  return value;
}

void JsonFile::refuse(const std::vector<std::string>& keys, const std::string& kind) const {
  std::string path;
  for (const std::string& key : keys) {
    path += (path.empty() ? "" : ".") + key;
  }
  throw Error(file_.string() + ": expected " + expected_ + " with " + kind + " at " + path + ", got " +
              (find(keys) == nullptr ? "none" : "something else"));
}

std::string JsonFile::text(const std::vector<std::string>& keys) const {
  const Value* value = find(keys);
  if (value == nullptr || !value->has_string_value()) {
    refuse(keys, "a text");
  }
  return value->string_value();
}

double JsonFile::number(const std::vector<std::string>& keys) const {
  const Value* value = find(keys);
  if (value == nullptr || !value->has_number_value()) {
    refuse(keys, "a number");
  }
  return value->number_value();
}

std::vector<std::string> JsonFile::texts(const std::vector<std::string>& keys) const {
  const Value* value = find(keys);
  if (value == nullptr || !value->has_list_value()) {
    refuse(keys, "a list of texts");
  }
  std::vector<std::string> texts;
  for (const Value& item : value->list_value().values()) {
    if (!item.has_string_value()) {
      refuse(keys, "a list of texts");
    }
    texts.push_back(item.string_value());
  }
  return texts;
}

}  // namespace drae
