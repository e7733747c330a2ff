# For find_package(drae_client): the library needs the same TensorFlow where it is linked.
include(${CMAKE_CURRENT_LIST_DIR}/TensorflowWheel.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/drae_client-targets.cmake)
