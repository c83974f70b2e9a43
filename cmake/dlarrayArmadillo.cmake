# Defines dlarray::armadillo, for programs that include <dlarray/armadillo.hpp>; does nothing where Armadillo is missing.
# The settings must be the same in every file of a program: Armadillo without its wrapper library, without threads of its own.
if(NOT TARGET dlarray::armadillo)
  set(BLA_VENDOR OpenBLAS)
  find_package(Armadillo QUIET)
  find_package(BLAS QUIET)
  if(Armadillo_FOUND AND BLAS_FOUND)
    add_library(dlarray::armadillo INTERFACE IMPORTED)
    target_include_directories(dlarray::armadillo INTERFACE ${ARMADILLO_INCLUDE_DIRS})
    target_compile_definitions(dlarray::armadillo INTERFACE ARMA_DONT_USE_WRAPPER ARMA_DONT_USE_OPENMP)
    target_link_libraries(dlarray::armadillo INTERFACE BLAS::BLAS)
  endif()
endif()
