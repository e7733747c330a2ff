#include "png.h"

#include <algorithm>
#include <array>

#include "drae_client/error.h"
#include "session_options.h"
#include "tensorflow/c/tf_tstring.h"

namespace drae {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);

// The header is the first chunk, always: its length, its name, width, height, bits, colour type (W3C PNG, 11.2.1).
constexpr std::size_t kHeaderEnd = 8 + 8 + 13;
constexpr std::size_t kWidth = 16, kHeight = 20, kBits = 24, kColourType = 25;

std::size_t big_endian(std::string_view bytes, std::size_t at) {
  std::size_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

void check_header(std::string_view bytes, std::size_t side, const std::string& file) {
  if (bytes.size() < kHeaderEnd || bytes.substr(12, 4) != "IHDR") {
    throw Error(file + ": expected a PNG image, got a damaged one");
  }
  // TensorFlow would turn what is not 8 bit grey into it without a word, and would first make room for any size.
  const int bits = static_cast<unsigned char>(bytes[kBits]);
  switch (bytes[kColourType]) {
    case 0: break;
    case 2: throw Error(file + ": expected 8 bit grey, got a colour image");
    case 3: throw Error(file + ": expected 8 bit grey, got an image with a palette");
    case 4: throw Error(file + ": expected 8 bit grey, got grey with transparency");
    case 6: throw Error(file + ": expected 8 bit grey, got a colour image with transparency");
    default: throw Error(file + ": expected a PNG image, got a damaged one");
  }
  if (bits != 8) {
    throw Error(file + ": expected 8 bit grey, got " + std::to_string(bits) + " bit");
  }
  const std::size_t width = big_endian(bytes, kWidth);
  const std::size_t height = big_endian(bytes, kHeight);
  if (width != side || height != side) {
    throw Error(file + ": expected a patch of " + std::to_string(side) + " x " + std::to_string(side) + ", got " +
                std::to_string(width) + " x " + std::to_string(height));
  }
}

/// Whether a chunk lies before the pixels.
bool has_chunk(std::string_view bytes, std::string_view name) {
  // Eight bytes of signature; a chunk is its length, its name, so many bytes, and four of a checksum.
  std::size_t at = 8;
  while (at + 8 <= bytes.size() && bytes.substr(at + 4, 4) != "IDAT") {
    if (bytes.substr(at + 4, 4) == name) {
      return true;
    }
    at += 12 + big_endian(bytes, at);
  }
  return false;
}

TF_Output placeholder(TF_Graph* graph, const char* name, TF_DataType type) {
  TF_OperationDescription* description = TF_NewOperation(graph, "Placeholder", name);
  TF_SetAttrType(description, "dtype", type);
  const StatusHandle status(TF_NewStatus());
  TF_Operation* operation = TF_FinishOperation(description, status.get());
  check(status, "PNG");
  return {operation, 0};
}

TF_Output operation(TF_Graph* graph, const char* type, TF_Output input) {
  TF_OperationDescription* description = TF_NewOperation(graph, type, type);
  TF_AddInput(description, input);
  const StatusHandle status(TF_NewStatus());
  TF_Operation* made = TF_FinishOperation(description, status.get());
  check(status, "PNG");
  return {made, 0};
}

}  // namespace

bool is_png(std::string_view bytes) { return bytes.substr(0, kSignature.size()) == kSignature; }

PngCodec::PngCodec()
    : graph_(TF_NewGraph()),
      file_(placeholder(graph_.get(), "file", TF_STRING)),
      decoded_(operation(graph_.get(), "DecodePng", file_)),
      pixels_(placeholder(graph_.get(), "pixels", TF_UINT8)),
      encoded_(operation(graph_.get(), "EncodePng", pixels_)) {
  const OptionsHandle options = session_options({});
  const StatusHandle status(TF_NewStatus());
  session_.reset(TF_NewSession(graph_.get(), options.get(), status.get()));
  check(status, "PNG");
}

TensorHandle PngCodec::run(TF_Output input, TF_Tensor* value, TF_Output output, const std::string& what) const {
  TF_Tensor* came = nullptr;
  const StatusHandle status(TF_NewStatus());
  TF_SessionRun(session_.get(), nullptr, &input, &value, 1, &output, &came, 1, nullptr, 0, nullptr, status.get());
  TensorHandle result(came);
  check(status, what);
  return result;
}

GreyImage PngCodec::read(std::string_view bytes, std::size_t side, const std::string& file) const {
  check_header(bytes, side, file);
  // TensorFlow passes over the value that is said to be transparent.
  if (has_chunk(bytes, "tRNS")) {
    throw Error(file + ": expected 8 bit grey, got grey with transparency");
  }
  const TensorHandle fed(TF_AllocateTensor(TF_STRING, nullptr, 0, sizeof(TF_TString)));
  auto* text = static_cast<TF_TString*>(TF_TensorData(fed.get()));
  TF_StringInit(text);
  TF_StringAssignView(text, bytes.data(), bytes.size());
  const TensorHandle decoded = run(file_, fed.get(), decoded_, file + ": expected a PNG image, got a damaged one");
  if (TF_TensorByteSize(decoded.get()) != side * side) {
    throw Error(file + ": expected a PNG image, got a damaged one");
  }
  const auto* pixels = static_cast<const std::uint8_t*>(TF_TensorData(decoded.get()));
  return {side, side, {pixels, pixels + side * side}};
}

std::string PngCodec::write(const GreyImage& image) const {
  const std::array<std::int64_t, 3> shape{static_cast<std::int64_t>(image.height),
                                          static_cast<std::int64_t>(image.width), 1};
  const TensorHandle fed(TF_AllocateTensor(TF_UINT8, shape.data(), 3, image.pixels.size()));
  std::copy(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t*>(TF_TensorData(fed.get())));
  const TensorHandle encoded = run(pixels_, fed.get(), encoded_, "PNG");
  const auto* text = static_cast<const TF_TString*>(TF_TensorData(encoded.get()));
  return {TF_StringGetDataPointer(text), TF_StringGetSize(text)};
}

}  // namespace drae
