# What every target of Shoal shares: language, warnings, sanitizers, include root.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(SHOAL_CCACHE ccache)
if(SHOAL_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SHOAL_CCACHE})
endif()

add_library(shoal_options INTERFACE)
target_include_directories(shoal_options INTERFACE ${CMAKE_SOURCE_DIR})
# -ffp-contract=off: the same kernel gives the same bits whichever instruction set it is cloned for.
target_compile_options(shoal_options INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor
                                               -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overflows and overlaps inside std::string that are not there (GCC bugs 105329, 105651).
  target_compile_options(shoal_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # With sanitizers clang gives up on loops marked for vectorising: slower, not wrong.
  target_compile_options(shoal_options INTERFACE -Wno-pass-failed)
endif()
if(SHOAL_SANITIZE)
  target_compile_options(shoal_options INTERFACE -fsanitize=${SHOAL_SANITIZE}
                                                 -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(shoal_options INTERFACE -fsanitize=${SHOAL_SANITIZE})
endif()

# shoal_layer(NAME LIBRARIES...): the static library of one layer, from every .cpp below its folder.
function(shoal_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(shoal_${name} STATIC ${sources})
  target_link_libraries(shoal_${name} PUBLIC shoal_options ${ARGN})
endfunction()
