#include "signature.h"

#include <cstdint>
#include <map>
#include <vector>

#include "drae_client/error.h"
#include "tensorflow/core/protobuf/meta_graph.pb.h"

namespace drae {
namespace {

using tensorflow::TensorInfo;
using Tensors = google::protobuf::Map<std::string, TensorInfo>;

struct Form {
  tensorflow::DataType type;
  std::vector<std::int64_t> shape;  // -1: any number
};

std::string type_name(tensorflow::DataType type) {
  switch (type) {
    case tensorflow::DT_FLOAT: return "float32";
    case tensorflow::DT_DOUBLE: return "float64";
    case tensorflow::DT_UINT8: return "uint8";
    case tensorflow::DT_INT32: return "int32";
    case tensorflow::DT_INT64: return "int64";
    default: return tensorflow::DataType_Name(type);
  }
}

std::string words(const Form& form) {
  std::string text;
  for (const std::int64_t size : form.shape) {
    text += (text.empty() ? "" : ", ") + (size < 0 ? "n" : std::to_string(size));
  }
  return type_name(form.type) + " [" + text + "]";
}

std::string words(const TensorInfo& tensor) {
  if (tensor.tensor_shape().unknown_rank()) {
    return type_name(tensor.dtype()) + " of any shape";
  }
  Form form{tensor.dtype(), {}};
  for (const auto& dimension : tensor.tensor_shape().dim()) {
    form.shape.push_back(dimension.size());
  }
  return words(form);
}

bool fits(const TensorInfo& tensor, const Form& form) {
  const auto& shape = tensor.tensor_shape();
  if (tensor.name().empty() || tensor.dtype() != form.type || shape.unknown_rank() ||
      static_cast<std::size_t>(shape.dim_size()) != form.shape.size()) {
    return false;
  }
  for (int i = 0; i < shape.dim_size(); ++i) {
    if (shape.dim(i).size() != form.shape[static_cast<std::size_t>(i)]) {
      return false;
    }
  }
  return true;
}

std::string find(const Tensors& tensors, const std::string& name, const Form& form, const std::string& what) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || !fits(found->second, form)) {
    throw Error(what + " " + name + ": expected " + words(form) + ", got " +
                (found == tensors.end() ? "none" : words(found->second)) + "; export the model again");
  }
  return found->second.name();
}

}  // namespace

Signature read_signature(const void* meta_graph, std::size_t bytes, std::size_t patch_size, const std::string& place) {
  tensorflow::MetaGraphDef graph;
  if (!graph.ParseFromArray(meta_graph, static_cast<int>(bytes))) {
    throw Error(place + ": expected a graph with signatures, got damaged bytes; export the model again");
  }
  const auto found = graph.signature_def().find("inspect");
  if (found == graph.signature_def().end()) {
    std::map<std::string, int> sorted;
    for (const auto& [name, signature] : graph.signature_def()) {
      // TensorFlow's own signatures begin so.
      if (name.rfind("__", 0) != 0) {
        sorted[name];
      }
    }
    std::string names;
    for (const auto& [name, unused] : sorted) {
      names += (names.empty() ? "" : ", ") + name;
    }
    throw Error(place + ": expected the signature inspect, got " + (names.empty() ? "none" : "only " + names) +
                "; export the model again");
  }
  const auto& inputs = found->second.inputs();
  const auto& outputs = found->second.outputs();
  const auto side = static_cast<std::int64_t>(patch_size);
  const std::string input = place + ": signature inspect, input";
  const std::string output = place + ": signature inspect, output";

  Signature signature;
  signature.patches = find(inputs, "patches", {tensorflow::DT_UINT8, {-1, side, side, 1}}, input);
  if (inputs.contains("regions")) {
    signature.regions = find(inputs, "regions", {tensorflow::DT_INT32, {-1}}, input);
  }
  for (const auto& [name, tensor] : inputs) {
    if (name != "patches" && name != "regions") {
      throw Error(input + " " + name + ": expected patches and regions only, got " + words(tensor) +
                  "; this client is too old for the model");
    }
  }
  signature.score = find(outputs, "score", {tensorflow::DT_FLOAT, {-1}}, output);
  signature.heatmap = find(outputs, "heatmap", {tensorflow::DT_FLOAT, {-1, side, side}}, output);
  return signature;
}

}  // namespace drae
