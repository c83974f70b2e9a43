// Recurrent functions over all steps; arrays are column-major, unlabelled, features x observations x steps.
#pragma once

#include "cpu/simd/recurrent.hpp"

namespace dl::cpu {

/// The sizes of a recurrent function and its activations.
struct RecurrentPlan {
  Index hidden, batch, steps;
  StateActivation state;
  GateActivation gate;
  /// Where the recurrent weights of an LSTM meet not the state but a product of it: the channels of that, else 0.
  Index projected = 0;
};

/// Observations go through time independently of each other: each thread takes some of them through all steps, and no thread waits for
/// another. How many at least: as many as a tile of a product is wide, and enough to be worth a thread.
Index recurrentGrain(const RecurrentPlan& plan);

/// Elements of memory that `lstmForward` and `lstmBackward` work in, 64-byte aligned.
template <class T>
Index lstmRoom(const RecurrentPlan& plan);

/// The steps of an LSTM. `gates` (4 hidden x batch x steps) holds the products of the input weights with the data and receives the
/// activations of the gates; `r` are the recurrent weights, `h0` and `c0` the states before the first step. `cells` and `y` receive
/// the states of every step; `states` (projected x batch x steps) the transposed `projector` (hidden x projected) times the state before it.
template <class T>
void lstmForward(const RecurrentPlan& plan, const T* r, const T* projector, const T* bias, const T* h0, const T* c0, T* gates, T* cells,
                 T* states, T* y, T* room);

/// Back through time. `gradient` is the derivative by y; `dc` that by the last cell state, and becomes that by c0; `sums` receives the
/// derivatives by the gates' sums, `dStates` those by the projected states, `dh0` that by h0.
template <class T>
void lstmBackward(const RecurrentPlan& plan, const T* r, const T* projector, const T* c0, const T* gates, const T* cells,
                  const T* gradient, T* dc, T* sums, T* dStates, T* dh0, T* room);

/// Elements of memory that `gruForward` and `gruBackward` work in, 64-byte aligned.
template <class T>
Index gruRoom(const RecurrentPlan& plan);

/// The steps of a GRU whose reset gate is applied after the product. `gates` (3 hidden x batch x steps: reset, update, candidate) holds the
/// products of the input weights with the data and receives the activations; `candidates` (hidden x batch x steps) receives the products
/// of the recurrent weights of the candidate with the states, with their bias.
template <class T>
void gruForward(const RecurrentPlan& plan, const T* r, const T* bias, const T* recurrentBias, const T* h0, T* gates, T* candidates, T* y,
                T* room);

/// Back through time. `sums` receives the derivatives by the sums of the input, `recurrentSums` those by the products with the states.
template <class T>
void gruBackward(const RecurrentPlan& plan, const T* r, const T* h0, const T* y, const T* gates, const T* candidates, const T* gradient,
                 T* sums, T* recurrentSums, T* dh0, T* room);

/// The same with the reset gate before the product. `gated` (hidden x batch x steps) receives reset times state, of every step.
template <class T>
void resetFirstForward(const RecurrentPlan& plan, const T* r, const T* bias, const T* h0, T* gates, T* gated, T* y, T* room);

/// Back through time. `sums` receives the derivatives by the sums of the gates; `gatedGradient` (hidden x batch) is worked in.
template <class T>
void resetFirstBackward(const RecurrentPlan& plan, const T* r, const T* h0, const T* y, const T* gates, const T* gradient, T* sums,
                        T* gatedGradient, T* dh0, T* room);

/// The derivative by the recurrent weights, from `sums` and from what these were multiplied by.
template <class T>
void resetFirstWeights(const RecurrentPlan& plan, const T* sums, const T* h0, const T* y, const T* gated, T* dr);

}  // namespace dl::cpu
