#include "saved_model.h"

#include <algorithm>
#include <array>
#include <vector>

#include "session_options.h"

namespace drae {
namespace {

// The memory is the caller's, which outlives the call.
void keep(void*, std::size_t, void*) {}

TensorHandle lent_tensor(TF_DataType type, const std::vector<std::int64_t>& shape, const void* data,
                         std::size_t bytes) {
  // TensorFlow takes memory that it could write to, but only reads what is fed to it.
  return TensorHandle(TF_NewTensor(type, shape.data(), static_cast<int>(shape.size()), const_cast<void*>(data),
                                   bytes, keep, nullptr));
}

std::vector<float> floats(const TensorHandle& tensor, std::size_t count, const std::string& what) {
  if (TF_TensorType(tensor.get()) != TF_FLOAT || TF_TensorByteSize(tensor.get()) != count * sizeof(float)) {
    throw Error(what + ": expected " + std::to_string(count) + " values of float32, got " +
                std::to_string(TF_TensorByteSize(tensor.get())) + " bytes; export the model again");
  }
  const auto* values = static_cast<const float*>(TF_TensorData(tensor.get()));
  return {values, values + count};
}

void check_version() {
  // Protocol buffers of another version are laid out differently, and reading them would be reading nonsense.
  if (tensorflow_version() != DRAE_TENSORFLOW_VERSION) {
    throw Error(std::string("libtensorflow_cc.so.2: expected TensorFlow ") + DRAE_TENSORFLOW_VERSION + ", got " +
                tensorflow_version() + "; build the client again, with this one");
  }
}

}  // namespace

std::string tensorflow_version() { return TF_Version(); }

SavedModel::SavedModel(const std::string& folder, std::size_t patch_size, Threads threads)
    : folder_(folder), patch_size_(patch_size) {
  check_version();
  const OptionsHandle options = session_options(threads);
  const StatusHandle status(TF_NewStatus());
  const BufferHandle meta_graph(TF_NewBuffer());
  const char* const tag = "serve";
  graph_.reset(TF_NewGraph());
  session_.reset(TF_LoadSessionFromSavedModel(options.get(), nullptr, folder.c_str(), &tag, 1, graph_.get(),
                                              meta_graph.get(), status.get()));
  check(status, folder + ": expected a SavedModel that TensorFlow loads, got");
  signature_ = read_signature(meta_graph->data, meta_graph->length, patch_size, folder);
}

TF_Output SavedModel::output(const std::string& tensor) const {
  const std::size_t colon = tensor.rfind(':');
  TF_Operation* operation = TF_GraphOperationByName(graph_.get(), tensor.substr(0, colon).c_str());
  const int index = colon == std::string::npos ? 0 : std::atoi(tensor.c_str() + colon + 1);
  if (operation == nullptr || index >= TF_OperationNumOutputs(operation)) {
    throw Error(folder_ + ": expected a graph with the tensor " + tensor + ", which the signature inspect names; " +
                "export the model again");
  }
  return {operation, index};
}

Examined SavedModel::run(const std::uint8_t* patches, std::size_t count, const std::int32_t* regions,
                         bool with_heatmaps) const {
  const std::size_t pixels = patch_size_ * patch_size_;
  const auto number = static_cast<std::int64_t>(count);
  const auto side = static_cast<std::int64_t>(patch_size_);

  std::vector<TF_Output> inputs{output(signature_.patches)};
  std::vector<TensorHandle> fed;
  fed.push_back(lent_tensor(TF_UINT8, {number, side, side, 1}, patches, count * pixels));
  if (takes_regions()) {
    inputs.push_back(output(signature_.regions));
    fed.push_back(lent_tensor(TF_INT32, {number}, regions, count * sizeof(std::int32_t)));
  }
  std::vector<TF_Output> outputs{output(signature_.score)};
  if (with_heatmaps) {
    outputs.push_back(output(signature_.heatmap));
  }

  std::vector<TF_Tensor*> values;
  std::transform(fed.begin(), fed.end(), std::back_inserter(values), [](const auto& tensor) { return tensor.get(); });
  std::array<TF_Tensor*, 2> came{};
  const StatusHandle status(TF_NewStatus());
  TF_SessionRun(session_.get(), nullptr, inputs.data(), values.data(), static_cast<int>(inputs.size()),
                outputs.data(), came.data(), static_cast<int>(outputs.size()), nullptr, 0, nullptr, status.get());
  const TensorHandle score(came[0]);
  const TensorHandle heatmap(came[1]);
  check(status, folder_ + ": the model failed");

  Examined examined;
  examined.scores = floats(score, count, folder_ + ": score");
  if (with_heatmaps) {
    examined.heatmaps = floats(heatmap, count * pixels, folder_ + ": heatmap");
  }
  return examined;
}

}  // namespace drae
