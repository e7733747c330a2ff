#pragma once

namespace drae {

/// Gives standard error back, which was closed to TensorFlow's libraries while they were loaded.
///
/// From then on TensorFlow logs nothing, unless TF_CPP_MIN_LOG_LEVEL is 0, 1 or 2.
void open_standard_error();

}  // namespace drae
