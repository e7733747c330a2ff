#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pgm.h"
#include "tf_handles.h"

namespace drae {

/// Whether bytes begin as a PNG file does.
bool is_png(std::string_view bytes);

/// Reads and writes PNG files of 8 bit grey, by the operations DecodePng and EncodePng of TensorFlow.
class PngCodec {
 public:
  PngCodec();

  /// Reads a file of side x side pixels; `file` names it in errors.
  GreyImage read(std::string_view bytes, std::size_t side, const std::string& file) const;

  /// The file of an image.
  std::string write(const GreyImage& image) const;

 private:
  TensorHandle run(TF_Output input, TF_Tensor* value, TF_Output output, const std::string& what) const;

  GraphHandle graph_;
  TF_Output file_;
  TF_Output decoded_;
  TF_Output pixels_;
  TF_Output encoded_;
  // Declared after the graph, so that it goes first: a session uses its graph.
  SessionHandle session_;
};

}  // namespace drae
