# Installation, find_package, pkg-config and the Debian package.
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/dlarray")
install(TARGETS dlarray EXPORT dlarrayTargets)
install(DIRECTORY include/dlarray DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(EXPORT dlarrayTargets NAMESPACE dlarray:: DESTINATION "${config_dir}")
configure_package_config_file(cmake/dlarrayConfig.cmake.in dlarrayConfig.cmake INSTALL_DESTINATION "${config_dir}")
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file(dlarrayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/dlarrayConfig.cmake" "${PROJECT_BINARY_DIR}/dlarrayConfigVersion.cmake"
  cmake/dlarrayArmadillo.cmake DESTINATION "${config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)

file(RELATIVE_PATH path_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" path_to_prefix "${path_to_prefix}")
set(private_libraries "-lfmt -lz -lpng -ljpeg -pthread")
if(NOT DLARRAY_SERIAL)
  string(APPEND private_libraries " ${OpenMP_CXX_FLAGS}")
endif()
configure_file(cmake/dlarray.pc.in dlarray.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/dlarray.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The dlarray authors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS libarmadillo-dev)
include(CPack)
