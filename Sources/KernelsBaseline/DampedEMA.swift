import KernelInterface

// Damped EMA of real numbers (MEGA.md) for 16 channels a call. Lanes, tiles and entries are as in the
// complex EMA; a pair of orders runs at a time to hide the latency of the recurrence.

/// p, q and gamma of 16 channels at one order.
struct DampedRates {
    let p, q, gamma: V

    @inline(always) init(_ c: DampedEMACoefficients, _ place: Int) {
        p = load(c.p, place)
        q = load(c.q, place)
        gamma = load(c.gamma, place)
    }
}

/// y = sum_n gamma_n h_n with h = [not bos] q h + p x.
func dampedEMA(_ a: DampedEMAArguments) {
    let (y, x, coefficients, state) = (a.y, a.x, a.coefficients, a.state)
    let (tiles, channels) = (a.work.tiles, a.work.channels)
    let (dim, ld, N, d) = (channels.dim, channels.padded, channels.orders, channels.first)
    let xt = a.work.scratch
    let yt = a.work.scratch + 1024
    let width = min(16, dim &- d)
    var entry = a.entries
    var k = 0
    while k < tiles.count {
        let (t0, t1) = tokens(tiles, k)
        let isReset = tiles.resets[k] != 0
        var t = t0
        while t < t1 {
            store(xt, (t &- t0) &* 16, load(x + (t &* dim &+ d), 0, upTo: width))
            store(yt, (t &- t0) &* 16, .zero)
            t &+= 1
        }
        var n = 0
        while n < N {
            let pair = EMAPair(n, of: N, first: n &* ld &+ d, stride: ld)
            if isReset {
                store(state, pair.first, .zero)
                store(state, pair.second, .zero)
            } else {
                store(entry, pair.first, load(state, pair.first))
                store(entry, pair.second, load(state, pair.second))
            }
            addDampedOrders(coefficients, state, pair, xt, yt, (t1 &- t0) &* 16)
            n &+= 2
        }
        if !isReset { entry += N &* ld }
        t = t0
        while t < t1 {
            store(y + (t &* dim &+ d), 0, load(yt, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &+= 1
    }
}

/// Adds the shares of a pair of orders to a tile's y, and moves their states on over the tile.
@inline(always) func addDampedOrders(
    _ coefficients: DampedEMACoefficients, _ state: MP, _ pair: EMAPair, _ xt: MP, _ yt: MP, _ end: Int
) {
    let a = DampedRates(coefficients, pair.first)
    let b = DampedRates(coefficients, pair.second)
    let gb = pair.hasTwo ? b.gamma : .zero
    var ha = load(state, pair.first)
    var hb = load(state, pair.second)
    var i = 0
    while i < end {
        let xv = load(xt, i)
        ha = fma(a.q, ha, a.p * xv)
        hb = fma(b.q, hb, b.p * xv)
        store(yt, i, fma(gb, hb, fma(a.gamma, ha, load(yt, i))))
        i &+= 16
    }
    store(state, pair.first, ha)
    store(state, pair.second, hb)
}

/// Backward of `dampedEMA`, tile by tile in reverse time.
func dampedEMABackward(_ a: DampedEMABackwardArguments) {
    let (dx, dy, x, coefficients) = (a.dx, a.dy, a.forward.x, a.forward.coefficients)
    let (tiles, channels, scratch) = (a.work.tiles, a.work.channels, a.work.scratch)
    let (dim, ld, N, d) = (channels.dim, channels.padded, channels.orders, channels.first)
    let width = min(16, dim &- d)
    var entry = a.forward.entries
    var k = 0
    while k < tiles.count {
        if tiles.resets[k] == 0 { entry += N &* ld }
        k &+= 1
    }
    k = tiles.count &- 1
    while k >= 0 {
        let (t0, t1) = tokens(tiles, k)
        let isReset = tiles.resets[k] != 0
        let tile = DampedTileScratch(scratch, (t1 &- t0) &* 16)
        var t = t0
        while t < t1 {
            store(tile.x, (t &- t0) &* 16, load(x + (t &* dim &+ d), 0, upTo: width))
            store(tile.dy, (t &- t0) &* 16, load(dy + (t &* dim &+ d), 0, upTo: width))
            store(tile.dx, (t &- t0) &* 16, .zero)
            t &+= 1
        }
        if !isReset { entry -= N &* ld }
        var n = 0
        while n < N {
            let pair = EMAPair(n, of: N, first: n &* ld &+ d, stride: ld)
            let (first, second) = (DampedRates(coefficients, pair.first), DampedRates(coefficients, pair.second))
            tile.runAgain(
                first, second, isReset ? .zero : load(entry, pair.first), isReset ? .zero : load(entry, pair.second))
            tile.runBackward(first, tile.states, a.coefficientGradients, a.stateGradient, pair.first, isReset)
            if pair.hasTwo {
                tile.runBackward(
                    second, tile.states + 16, a.coefficientGradients, a.stateGradient, pair.second, isReset)
            }
            n &+= 2
        }
        t = t0
        while t < t1 {
            store(dx + (t &* dim &+ d), 0, load(tile.dx, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &-= 1
    }
}

/// A tile of 16 channels in contiguous memory: x, dy, dx [tokens, 16] and the states [1 + tokens, 2, 16] of a pair of
/// orders.
struct DampedTileScratch {
    let x, dy, dx, states: MP
    /// Floats of a tile's tokens.
    let end: Int

    @inline(always) init(_ scratch: MP, _ end: Int) {
        x = scratch
        dy = scratch + 1024
        dx = scratch + 2048
        states = scratch + 3072
        self.end = end
    }

    /// The states of a pair of orders from the tile's entrance on.
    @inline(always) func runAgain(_ a: DampedRates, _ b: DampedRates, _ entryA: V, _ entryB: V) {
        var ha = entryA
        var hb = entryB
        store(states, 0, ha)
        store(states, 16, hb)
        var i = 0
        while i < end {
            let xv = load(x, i)
            ha = fma(a.q, ha, a.p * xv)
            hb = fma(b.q, hb, b.p * xv)
            store(states, 2 &* i &+ 32, ha)
            store(states, 2 &* i &+ 48, hb)
            i &+= 16
        }
    }

    /// Adds one order's share to dx and its coefficients' gradients, and takes the state's gradient back to the tile's
    /// entrance.
    @inline(always) func runBackward(
        _ rates: DampedRates, _ h: MP, _ d: DampedEMACoefficientGradients, _ dstate: MP, _ place: Int, _ isReset: Bool
    ) {
        var carry = load(dstate, place)
        var sp = load(d.p, place)
        var sq = load(d.q, place)
        var sg = load(d.gamma, place)
        var i = end &- 16
        while i >= 0 {
            let yv = load(dy, i)
            let g = fma(rates.gamma, yv, carry)
            store(dx, i, fma(rates.p, g, load(dx, i)))
            sp = fma(load(x, i), g, sp)
            sg = fma(load(h, 2 &* i &+ 32), yv, sg)
            sq = fma(load(h, 2 &* i), g, sq)
            carry = rates.q * g
            i &-= 16
        }
        store(dstate, place, isReset ? .zero : carry)
        store(d.p, place, sp)
        store(d.q, place, sq)
        store(d.gamma, place, sg)
    }
}

var dampedEMAKernels: DampedEMAKernels {
    DampedEMAKernels(dampedEMA: dampedEMA, dampedEMABackward: dampedEMABackward)
}
