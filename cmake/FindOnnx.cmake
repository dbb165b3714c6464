# ONNX's protobuf classes and schema library. Debian's own CMake package names targets that it does
# not install, so the libraries are looked for directly. Defines Onnx::onnx.
find_path(Onnx_INCLUDE_DIR onnx/onnx-ml.pb.h)
find_library(Onnx_LIBRARY onnx)
find_library(Onnx_PROTO_LIBRARY onnx_proto)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Onnx DEFAULT_MSG Onnx_LIBRARY Onnx_PROTO_LIBRARY Onnx_INCLUDE_DIR)
if(Onnx_FOUND AND NOT TARGET Onnx::onnx)
  add_library(Onnx::onnx INTERFACE IMPORTED)
  target_link_libraries(Onnx::onnx INTERFACE ${Onnx_LIBRARY} ${Onnx_PROTO_LIBRARY} protobuf::libprotobuf)
  target_compile_definitions(Onnx::onnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
endif()
