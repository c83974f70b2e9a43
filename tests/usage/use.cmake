# cmake -D way=... -P use.cmake: takes the library to an empty folder in one way, builds the consumer there and runs it.

# must_run(COMMAND...): runs it and stops the test when it fails.
function(must_run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# build_and_run(OPTION...): configures the consumer's own CMake project, builds it and runs its programs.
function(build_and_run)
  must_run(${CMAKE_COMMAND} -S "${source}/tests/usage/consumer" -B "${work}/consumer" -G "${generator}"
    -D CMAKE_BUILD_TYPE=${build_type} -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_COMPILER_LAUNCHER=${launcher} ${ARGN})
  must_run(${CMAKE_COMMAND} --build "${work}/consumer")
  must_run("${work}/consumer/consumer")
  if(EXISTS "${work}/consumer/armadillo_consumer")
    must_run("${work}/consumer/armadillo_consumer")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
set(prefix "${work}/prefix")

if(way STREQUAL "find_package")
  must_run(${CMAKE_COMMAND} --install "${build}" --prefix "${prefix}")
  build_and_run(-D CMAKE_PREFIX_PATH=${prefix})

elseif(way STREQUAL "add_subdirectory")
  # Without precompiled headers, as in every project that is not our own; with our warnings, as they would show a missing include.
  if(library_type STREQUAL "STATIC")
    set(shared OFF)
  else()
    set(shared ON)
  endif()
  build_and_run(-D DLARRAY_SOURCE=${source} -D DLARRAY_WERROR=ON -D BUILD_SHARED_LIBS=${shared})

elseif(way STREQUAL "pkg_config")
  must_run(${CMAKE_COMMAND} --install "${build}" --prefix "${prefix}")
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${libdir}/pkgconfig")
  set(static "")
  if(library_type STREQUAL "STATIC")
    set(static --static)
  endif()
  execute_process(COMMAND pkg-config --cflags --libs ${static} dlarray
    OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  must_run(${compiler} -std=c++20 "${source}/tests/usage/consumer/consumer.cpp" ${flags}
    "-Wl,-rpath,${prefix}/${libdir}" -o "${work}/consumer")
  must_run("${work}/consumer")

elseif(way STREQUAL "debian_package")
  must_run(${CMAKE_COMMAND} -E chdir "${work}" ${CMAKE_CPACK_COMMAND} -G DEB --config "${build}/CPackConfig.cmake" -B "${work}")
  file(GLOB package "${work}/dlarray_*.deb")
  must_run(dpkg-deb --info "${package}")
  must_run(dpkg-deb --extract "${package}" "${work}/root")
  execute_process(COMMAND dpkg-deb --field "${package}" Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
  if(library_type STREQUAL "SHARED" AND NOT depends MATCHES "libgomp")
    message(FATAL_ERROR "The package does not depend on the OpenMP runtime: ${depends}")
  endif()
  build_and_run(-D CMAKE_PREFIX_PATH=${work}/root/usr)

else()
  message(FATAL_ERROR "unknown way: ${way}")
endif()
