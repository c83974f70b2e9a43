# Every switch of the build, with what follows from it.
include(GNUInstallDirs)

option(DLARRAY_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(DLARRAY_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(DLARRAY_BUILD_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(DLARRAY_INSTALL "Install the library and make its packages" ${PROJECT_IS_TOP_LEVEL})
option(DLARRAY_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(DLARRAY_CUDA "Build the GPU plug-in" OFF)
option(DLARRAY_COVERAGE "Count which lines the tests run" OFF)
option(DLARRAY_FUZZ "Build the fuzz targets in place of the tests (clang only)" OFF)
option(DLARRAY_PRECOMPILE "Compile the headers of other libraries once for all sources" ${PROJECT_IS_TOP_LEVEL})
set(DLARRAY_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

# The runtime of GCC's OpenMP is not instrumented: under the thread sanitizer every parallel loop would look like a race.
if(DLARRAY_SANITIZE MATCHES "thread")
  set(serial_default ON)
else()
  set(serial_default OFF)
endif()
option(DLARRAY_SERIAL "Run every loop on one thread, without OpenMP" ${serial_default})

if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
  set(DLARRAY_LIBRARY_TYPE STATIC)
else()
  set(DLARRAY_LIBRARY_TYPE SHARED)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(x86_default ON)
else()
  set(x86_default OFF)
endif()
option(DLARRAY_X86 "Compile the vector kernels for several levels of x86-64 and choose at run time" ${x86_default})
mark_as_advanced(DLARRAY_X86)

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(PROJECT_IS_TOP_LEVEL)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(DLARRAY_CCACHE ccache)
  mark_as_advanced(DLARRAY_CCACHE)
  if(DLARRAY_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    # ccache takes sources with precompiled headers only when it is told not to look at the macros defined in them.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${DLARRAY_CCACHE}")
  endif()
endif()

if(DLARRAY_SANITIZE)
  add_compile_options(-fsanitize=${DLARRAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DLARRAY_SANITIZE})
endif()
set(DLARRAY_TEST_ENVIRONMENT
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp" "UBSAN_OPTIONS=print_stacktrace=1")
if(DLARRAY_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(DLARRAY_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DLARRAY_FUZZ needs clang++, whose libFuzzer drives the targets; this is ${CMAKE_CXX_COMPILER}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# dlarray_precompile(TARGET FILE): compiles what FILE includes once for the sources of TARGET; FILE names no header of our own, so that
# an edit compiles no more than it did. Another target in place of FILE shares what was compiled for that one.
function(dlarray_precompile target from)
  if(DLARRAY_PRECOMPILE)
    if(TARGET ${from})
      target_precompile_headers(${target} REUSE_FROM ${from})
    else()
      target_precompile_headers(${target} PRIVATE "${from}")
    endif()
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # for ccache
  endif()
endfunction()

# dlarray_warnings(TARGET): the warnings that all of our code is held to.
function(dlarray_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow $<$<BOOL:${DLARRAY_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-attributes>  # the vector kernels use one that only g++ knows
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # g++ 12 sees overlaps in sums of strings where there are none
endfunction()
