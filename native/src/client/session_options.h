#pragma once

#include "drae_client/inspector.h"
#include "tf_handles.h"

namespace drae {

/// Options of a session with so many threads.
OptionsHandle session_options(Threads threads);

}  // namespace drae
