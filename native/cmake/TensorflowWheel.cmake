# Finds the TensorFlow wheel that a Python has, and makes the target drae::tensorflow of its headers and libraries.
#
# In:  Python_EXECUTABLE, else any Python 3 that CMake finds; DRAE_TENSORFLOW_SERIES.
# Out: drae::tensorflow, DRAE_TENSORFLOW_VERSION (2.21.0).

# Headers and libraries of another series may differ: the C interface is kept stable, the protocol buffers are not.
set(DRAE_TENSORFLOW_SERIES 2.21 CACHE STRING "Series of TensorFlow that is accepted; the sources are tested with 2.21")

find_package(Python 3 COMPONENTS Interpreter REQUIRED)

# Importing TensorFlow takes seconds and talks; its place and version are known without. The wheel may be tensorflow
# or tensorflow-cpu.
execute_process(
  COMMAND ${Python_EXECUTABLE} -c [[
import importlib.metadata as metadata, importlib.util
spec = importlib.util.find_spec("tensorflow")
if spec and spec.submodule_search_locations:
    names = metadata.packages_distributions().get("tensorflow", [])
    versions = {metadata.version(name) for name in names}
    print(spec.submodule_search_locations[0], versions.pop() if len(versions) == 1 else "", sep=";", end="")
]]
  OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_VARIABLE words)
if(failed)
  message(FATAL_ERROR "${Python_EXECUTABLE}: cannot be asked for its TensorFlow: ${words}")
endif()
if(NOT found)
  message(FATAL_ERROR
    "${Python_EXECUTABLE} has no TensorFlow. Install it there (make env does for .venv), or name a Python that has it: "
    "-DPython_EXECUTABLE=PATH_TO_PYTHON")
endif()
list(GET found 0 folder)
list(GET found 1 DRAE_TENSORFLOW_VERSION)
if(NOT DRAE_TENSORFLOW_VERSION MATCHES "^[0-9]+[.][0-9]+[.][0-9]+")
  message(FATAL_ERROR
    "${folder}: expected the TensorFlow of one wheel, got none or several of them; install one into a fresh "
    "environment")
endif()
string(FIND "${DRAE_TENSORFLOW_VERSION}." "${DRAE_TENSORFLOW_SERIES}." place)
if(NOT place EQUAL 0)
  message(FATAL_ERROR
    "${folder}: expected TensorFlow ${DRAE_TENSORFLOW_SERIES}, got ${DRAE_TENSORFLOW_VERSION}. Install "
    "${DRAE_TENSORFLOW_SERIES}, or try this one: -DDRAE_TENSORFLOW_SERIES=${DRAE_TENSORFLOW_VERSION}")
endif()
foreach(part include/tensorflow/c/c_api.h libtensorflow_cc.so.2 libtensorflow_framework.so.2)
  if(NOT EXISTS ${folder}/${part})
    message(FATAL_ERROR
      "${folder}: expected ${part} in the wheel of TensorFlow ${DRAE_TENSORFLOW_VERSION}, got no such file; install "
      "the wheel again, for Linux on x86-64")
  endif()
endforeach()
message(STATUS "Found TensorFlow ${DRAE_TENSORFLOW_VERSION}: ${folder}")

if(NOT TARGET drae::tensorflow)
  foreach(name cc framework)
    add_library(drae::tensorflow_${name} SHARED IMPORTED)
    set_target_properties(drae::tensorflow_${name} PROPERTIES
      IMPORTED_LOCATION ${folder}/libtensorflow_${name}.so.2
      IMPORTED_SONAME libtensorflow_${name}.so.2)
  endforeach()
  add_library(drae::tensorflow INTERFACE IMPORTED)
  set_target_properties(drae::tensorflow PROPERTIES
    # Headers of an imported target are system headers: their warnings are not ours.
    INTERFACE_INCLUDE_DIRECTORIES ${folder}/include
    # What tf.sysconfig.get_compile_flags() says of the wheels: strings of the newer standard library, aligned buffers.
    INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=1;EIGEN_MAX_ALIGN_BYTES=64"
    INTERFACE_COMPILE_FEATURES cxx_std_17
    INTERFACE_LINK_LIBRARIES "drae::tensorflow_cc;drae::tensorflow_framework")
  # Operations and sessions register themselves when libtensorflow_cc is loaded. A linker that drops a library because
  # no symbol of it is called makes a program that says "No session factory registered".
  set_property(TARGET drae::tensorflow PROPERTY INTERFACE_LINK_OPTIONS "LINKER:--no-as-needed")
endif()
