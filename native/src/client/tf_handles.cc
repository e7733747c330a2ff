#include "tf_handles.h"

#include <cctype>

#include "drae_client/error.h"

namespace drae {

void CloseSession::operator()(TF_Session* session) const {
  const StatusHandle status(TF_NewStatus());
  TF_CloseSession(session, status.get());
  TF_DeleteSession(session, status.get());
}

void check(const StatusHandle& status, const std::string& what) {
  if (TF_GetCode(status.get()) != TF_OK) {
    throw Error(what + ": " + first_line(TF_Message(status.get())));
  }
}

std::string first_line(const std::string& words) {
  std::string line;
  // Protocol buffers double spaces at random, so that nobody relies on their words.
  for (const char character : words.substr(0, words.find('\n'))) {
    const bool space = std::isspace(static_cast<unsigned char>(character)) != 0;
    if (!space) {
      line += character;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

}  // namespace drae
