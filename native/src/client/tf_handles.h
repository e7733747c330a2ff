#pragma once

#include <memory>
#include <string>

#include "tensorflow/c/c_api.h"

namespace drae {

template <auto Delete>
struct DeleteBy {
  template <typename T>
  void operator()(T* handle) const {
    Delete(handle);
  }
};

using StatusHandle = std::unique_ptr<TF_Status, DeleteBy<TF_DeleteStatus>>;
using BufferHandle = std::unique_ptr<TF_Buffer, DeleteBy<TF_DeleteBuffer>>;
using GraphHandle = std::unique_ptr<TF_Graph, DeleteBy<TF_DeleteGraph>>;
using TensorHandle = std::unique_ptr<TF_Tensor, DeleteBy<TF_DeleteTensor>>;
using OptionsHandle = std::unique_ptr<TF_SessionOptions, DeleteBy<TF_DeleteSessionOptions>>;

struct CloseSession {
  void operator()(TF_Session* session) const;
};
using SessionHandle = std::unique_ptr<TF_Session, CloseSession>;

/// Throws an `Error` that begins with `what`, where TensorFlow did not succeed.
void check(const StatusHandle& status, const std::string& what);

/// TensorFlow's words as one line, without the trace of its graph.
std::string first_line(const std::string& words);

}  // namespace drae
