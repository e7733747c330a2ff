#include "pgm.h"

#include <algorithm>
#include <charconv>

#include "drae_client/error.h"

namespace drae {
namespace {

bool is_space(char character) {
  // The white space of the format, whatever the locale: blank, tab, line feed, vertical tab, form feed, return.
  return character == ' ' || (character >= '\t' && character <= '\r');
}

bool is_digit(char character) { return character >= '0' && character <= '9'; }

class Header {
 public:
  Header(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file), at_(2) {}

  std::size_t number(const char* what) {
    skip();
    std::size_t number = 0;
    const char* const begin = bytes_.data() + at_;
    const char* const end = bytes_.data() + bytes_.size();
    const auto [read, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || read == begin) {
      throw Error(file_ + ": expected a PGM image with its " + what + ", got a damaged header");
    }
    at_ += static_cast<std::size_t>(read - begin);
    return number;
  }

  /// What follows the one character of white space after the header.
  std::string_view body() const {
    if (at_ >= bytes_.size() || !is_space(bytes_[at_])) {
      throw Error(file_ + ": expected a PGM image with pixels, got a damaged header");
    }
    return bytes_.substr(at_ + 1);
  }

 private:
  void skip() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#') {
        at_ = std::min(bytes_.find('\n', at_), bytes_.size());
      } else {
        ++at_;
      }
    }
  }

  std::string_view bytes_;
  const std::string& file_;
  std::size_t at_;
};

}  // namespace

bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && is_digit(bytes[1]) && (is_space(bytes[2]) || bytes[2] == '#');
}

GreyImage read_pgm(std::string_view bytes, const std::string& file) {
  switch (bytes[1]) {
    case '5': break;
    case '3':
    case '6': throw Error(file + ": expected 8 bit grey, got a colour image (PPM)");
    default: throw Error(file + ": expected a binary PGM image (P5), got P" + bytes[1]);
  }
  Header header(bytes, file);
  GreyImage image{};
  image.width = header.number("width");
  image.height = header.number("height");
  const std::size_t greatest = header.number("greatest value");
  if (greatest > 255) {
    throw Error(file + ": expected 8 bit grey, got 16 bit");
  }
  if (greatest != 255) {
    throw Error(file + ": expected 8 bit grey up to 255, got grey up to " + std::to_string(greatest));
  }
  const std::string_view body = header.body();
  // Division, for a product of two numbers from a file could overflow.
  if (image.width == 0 || body.size() % image.width != 0 || body.size() / image.width != image.height) {
    throw Error(file + ": expected " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                " bytes of pixels, got " + std::to_string(body.size()));
  }
  image.pixels.assign(body.begin(), body.end());
  return image;
}

}  // namespace drae
