#include "session_options.h"

#include <string>

#include "tensorflow/core/protobuf/config.pb.h"

namespace drae {

OptionsHandle session_options(Threads threads) {
  if (threads.intra_op < 0 || threads.inter_op < 0) {
    throw Error("threads: expected 0, which leaves the number to TensorFlow, or more, got " +
                std::to_string(threads.intra_op) + " and " + std::to_string(threads.inter_op));
  }
  tensorflow::ConfigProto config;
  config.set_intra_op_parallelism_threads(threads.intra_op);
  config.set_inter_op_parallelism_threads(threads.inter_op);
  // Without it all sessions of a process share the threads that the first one asked for.
  config.set_use_per_session_threads(threads.inter_op > 0);
  const std::string bytes = config.SerializeAsString();
  OptionsHandle options(TF_NewSessionOptions());
  const StatusHandle status(TF_NewStatus());
  TF_SetConfig(options.get(), bytes.data(), bytes.size(), status.get());
  check(status, "threads");
  return options;
}

}  // namespace drae
