# The test `headers`: every header of Shoal compiles on its own, and twice. It builds one source per
# header, none of them part of the ordinary build, so that what has not changed is not compiled again.
function(shoal_header_test layer) # and the libraries to compile with
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
       ${CMAKE_SOURCE_DIR}/${layer}/*.hpp)
  if(NOT headers)
    return()
  endif()
  set(sources)
  foreach(header ${headers})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
    list(APPEND sources ${source})
  endforeach()
  add_library(headers_${layer} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(headers_${layer} PRIVATE ${ARGN})
  target_compile_options(headers_${layer} PRIVATE -O0)
  add_dependencies(headers headers_${layer})
endfunction()

add_custom_target(headers)
shoal_header_test(kernels shoal_kernels)
shoal_header_test(runtime shoal_runtime)
if(SHOAL_WITH_CAF)
  shoal_header_test(actors shoal_actors)
  shoal_header_test(apps shoal_actors CLI11::CLI11)
endif()

cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
add_test(NAME headers COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target headers
         --parallel ${cores})
set_tests_properties(headers PROPERTIES TIMEOUT 900 PROCESSORS ${cores})
