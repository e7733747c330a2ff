#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace google::protobuf {
class Struct;
class Value;
}  // namespace google::protobuf

namespace drae {

/// The bytes of a file; `expected` says in the error what it should have been.
std::string read_file(const std::filesystem::path& file, const std::string& expected);

/// A JSON object. It is read by the protocol buffers that come with TensorFlow.
class JsonFile {
 public:
  /// Reads a file; `expected` says in errors what it should have been.
  JsonFile(std::filesystem::path file, std::string expected);
  ~JsonFile();
  JsonFile(const JsonFile&) = delete;
  JsonFile& operator=(const JsonFile&) = delete;

  /// Values below keys, one for each level; they throw an `Error` where a key is absent or its value of another kind.
  std::string text(const std::vector<std::string>& keys) const;
  double number(const std::vector<std::string>& keys) const;
  std::vector<std::string> texts(const std::vector<std::string>& keys) const;

 private:
  const google::protobuf::Value* find(const std::vector<std::string>& keys) const;
  [[noreturn]] void refuse(const std::vector<std::string>& keys, const std::string& kind) const;

  std::filesystem::path file_;
  std::string expected_;
  std::unique_ptr<google::protobuf::Struct> object_;
};

}  // namespace drae
