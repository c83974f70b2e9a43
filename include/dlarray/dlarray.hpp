#pragma once
// Everything. Include <dlarray/armadillo.hpp> beside it for conversions from and to Armadillo's matrices.
#include <dlarray/array.hpp>
#include <dlarray/autodiff.hpp>
#include <dlarray/device.hpp>
#include <dlarray/error.hpp>
#include <dlarray/ops/compare.hpp>
#include <dlarray/ops/derivatives.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/reduction.hpp>
#include <dlarray/ops/scan.hpp>
#include <dlarray/ops/shape.hpp>
#include <dlarray/ops/sort.hpp>
#include <dlarray/size.hpp>
#include <dlarray/subscript.hpp>
#include <dlarray/types.hpp>
