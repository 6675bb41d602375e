import KernelInterface

// Complex EMA (GECKO.md, CEMA) for the 16 channels d..<d + 16 (those below `dim` are real). Coefficients and states are
// [N, ld] with ld = dim rounded up to 16, so a lane is a channel; time runs in tiles of at most `KernelTable.emaTile`
// tokens that are copied to a contiguous block (a column of x with a power-of-two stride would fall into one cache
// set).

/// p, q and gamma of 16 channels at one order, gamma's imaginary part with its sign turned.
struct EMARates {
    let p, qr, qi, gr, negativeGi: V

    @inline(always) init(_ c: ComplexEMACoefficients, _ place: Int) {
        p = load(c.p, place)
        qr = load(c.qReal, place)
        qi = load(c.qImaginary, place)
        gr = load(c.gammaReal, place)
        negativeGi = -load(c.gammaImaginary, place)
    }

    /// The real part of q h + p x.
    @inline(always) func real(_ hr: V, _ hi: V, _ x: V) -> V { fma(-qi, hi, fma(qr, hr, p * x)) }
    /// The imaginary part.
    @inline(always) func imaginary(_ hr: V, _ hi: V) -> V { fma(qi, hr, qr * hi) }
}

/// The tokens of tile k.
@inline(always) func tokens(_ tiles: ComplexEMATiles, _ k: Int) -> (first: Int, end: Int) {
    (Int(tiles.starts[k]), k &+ 1 < tiles.count ? Int(tiles.starts[k &+ 1]) : tiles.rows)
}

/// y = omega x + Re sum_n gamma_n h_n with h = [not bos] q h + p x, omega 1 where there is none. h (re, im) is the
/// state, in and out; `entries` [_, 2, N, ld] receives the state at the entrance of each tile that doesn't begin with a
/// bos (there it is 0), for the backward.
func complexEMA(_ a: ComplexEMAArguments) {
    let (y, x, coefficients, state) = (a.y, a.x, a.coefficients, a.state)
    let omega = coefficients.residualWeights
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
            let v = load(x + (t &* dim &+ d), 0, upTo: width)
            store(xt, (t &- t0) &* 16, v)
            store(yt, (t &- t0) &* 16, v)
            t &+= 1
        }
        if let omega { scaleTile(yt, load(omega + d, 0, upTo: width), (t1 &- t0) &* 16) }
        var n = 0
        while n < N {
            let pair = EMAPair(n, of: N, first: n &* ld &+ d, stride: ld)
            let (place, second) = (pair.first, pair.second)
            if isReset {
                store(state.real, place, .zero)
                store(state.imaginary, place, .zero)
                store(state.real, second, .zero)
                store(state.imaginary, second, .zero)
            } else {
                store(entry, place, load(state.real, place))
                store(entry + N &* ld, place, load(state.imaginary, place))
                store(entry, second, load(state.real, second))
                store(entry + N &* ld, second, load(state.imaginary, second))
            }
            addOrders(coefficients, state, pair, xt, yt, (t1 &- t0) &* 16)
            n &+= 2
        }
        if !isReset { entry += 2 &* N &* ld }
        t = t0
        while t < t1 {
            store(y + (t &* dim &+ d), 0, load(yt, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &+= 1
    }
}

/// A tile's rows [tokens, 16] times w.
@inline(always) func scaleTile(_ rows: MP, _ w: V, _ end: Int) {
    var i = 0
    while i < end {
        store(rows, i, load(rows, i) * w)
        i &+= 16
    }
}

/// Two orders at a time hide the latency of the recurrence; an odd last one runs twice, the second time with gamma = 0.
struct EMAPair {
    /// Where their coefficients and states are.
    let first, second: Int
    let hasTwo: Bool

    @inline(always) init(_ order: Int, of orders: Int, first: Int, stride: Int) {
        hasTwo = order &+ 1 < orders
        self.first = first
        second = hasTwo ? first &+ stride : first
    }
}

/// Adds the shares of a pair of orders to a tile's y, and moves their states on over the tile.
@inline(always) func addOrders(
    _ coefficients: ComplexEMACoefficients, _ state: ComplexEMAState, _ pair: EMAPair, _ xt: MP, _ yt: MP, _ end: Int
) {
    let (place, second) = (pair.first, pair.second)
    let (hr, hi) = (state.real, state.imaginary)
    let a = EMARates(coefficients, place)
    let b = EMARates(coefficients, second)
    let gb = pair.hasTwo ? b.gr : .zero
    let nb = pair.hasTwo ? b.negativeGi : .zero
    var har = load(hr, place)
    var hai = load(hi, place)
    var hbr = load(hr, second)
    var hbi = load(hi, second)
    var i = 0
    while i < end {
        let xv = load(xt, i)
        let ur = a.real(har, hai, xv)
        hai = a.imaginary(har, hai)
        har = ur
        let wr = b.real(hbr, hbi, xv)
        hbi = b.imaginary(hbr, hbi)
        hbr = wr
        let ya = fma(a.gr, har, fma(a.negativeGi, hai, load(yt, i)))
        store(yt, i, fma(gb, hbr, fma(nb, hbi, ya)))
        i &+= 16
    }
    store(hr, place, har)
    store(hi, place, hai)
    store(hr, second, hbr)
    store(hi, second, hbi)
}

/// Backward of `complexEMA`: dx = omega dy + the EMA's share, in reverse time with g = conj(gamma) dy + carry. The
/// state's gradient (re, im) [N, ld] is handed on in, received out; those of the coefficients [N, ld] are added to.
func complexEMABackward(_ a: ComplexEMABackwardArguments) {
    let (dx, dy, x, coefficients) = (a.dx, a.dy, a.forward.x, a.forward.coefficients)
    let (tiles, channels, scratch) = (a.work.tiles, a.work.channels, a.work.scratch)
    let (dim, ld, N, d) = (channels.dim, channels.padded, channels.orders, channels.first)
    let width = min(16, dim &- d)
    var entry = a.forward.entries
    var k = 0
    while k < tiles.count {
        if tiles.resets[k] == 0 { entry += 2 &* N &* ld }
        k &+= 1
    }
    k = tiles.count &- 1
    while k >= 0 {
        let (t0, t1) = tokens(tiles, k)
        let isReset = tiles.resets[k] != 0
        let tile = EMATileScratch(scratch, (t1 &- t0) &* 16)
        var t = t0
        while t < t1 {
            let g = load(dy + (t &* dim &+ d), 0, upTo: width)
            store(tile.x, (t &- t0) &* 16, load(x + (t &* dim &+ d), 0, upTo: width))
            store(tile.dy, (t &- t0) &* 16, g)
            store(tile.dx, (t &- t0) &* 16, g)
            t &+= 1
        }
        if let omega = coefficients.residualWeights { scaleTile(tile.dx, load(omega + d, 0, upTo: width), tile.end) }
        if !isReset { entry -= 2 &* N &* ld }
        var n = 0
        while n < N {
            let place = n &* ld &+ d
            let rates = EMARates(coefficients, place)
            var hr = V.zero
            var hi = V.zero
            if !isReset {
                hr = load(entry, place)
                hi = load(entry + N &* ld, place)
            }
            tile.runAgain(rates, hr, hi)
            tile.runBackward(rates, a.coefficientGradients, a.stateGradient, place, isReset)
            n &+= 1
        }
        t = t0
        while t < t1 {
            store(dx + (t &* dim &+ d), 0, load(tile.dx, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &-= 1
    }
}

/// A tile of 16 channels in contiguous memory: x, dy, dx [tokens, 16] and the states [1 + tokens, 2, 16] of one order.
struct EMATileScratch {
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

    /// The states of one order from the tile's entrance on.
    @inline(always) func runAgain(_ rates: EMARates, _ entryReal: V, _ entryImaginary: V) {
        var hr = entryReal
        var hi = entryImaginary
        store(states, 0, hr)
        store(states, 16, hi)
        var i = 0
        while i < end {
            let ur = rates.real(hr, hi, load(x, i))
            hi = rates.imaginary(hr, hi)
            hr = ur
            store(states, 2 &* i &+ 32, hr)
            store(states, 2 &* i &+ 48, hi)
            i &+= 16
        }
    }

    /// Adds one order's share to dx and its coefficients' gradients, and takes the state's gradient back to the tile's
    /// entrance.
    @inline(always) func runBackward(
        _ rates: EMARates, _ d: ComplexEMACoefficientGradients, _ dstate: ComplexEMAState, _ place: Int, _ isReset: Bool
    ) {
        var cr = load(dstate.real, place)
        var ci = load(dstate.imaginary, place)
        var sp = load(d.p, place)
        var sqr = load(d.qReal, place)
        var sqi = load(d.qImaginary, place)
        var sgr = load(d.gammaReal, place)
        var sgi = load(d.gammaImaginary, place)
        var i = end &- 16
        while i >= 0 {
            let yv = load(dy, i)
            let hr1 = load(states, 2 &* i &+ 32)
            let hi1 = load(states, 2 &* i &+ 48)
            let hr0 = load(states, 2 &* i)
            let hi0 = load(states, 2 &* i &+ 16)
            let wr = fma(rates.gr, yv, cr)
            let wi = fma(rates.negativeGi, yv, ci)
            store(dx, i, fma(rates.p, wr, load(dx, i)))
            sp = fma(load(x, i), wr, sp)
            sgr = fma(hr1, yv, sgr)
            sgi = fma(-hi1, yv, sgi)
            sqr = fma(hr0, wr, fma(hi0, wi, sqr))
            sqi = fma(hr0, wi, fma(-hi0, wr, sqi))
            cr = fma(rates.qr, wr, rates.qi * wi)
            ci = fma(-rates.qi, wr, rates.qr * wi)
            i &-= 16
        }
        store(dstate.real, place, isReset ? .zero : cr)
        store(dstate.imaginary, place, isReset ? .zero : ci)
        store(d.p, place, sp)
        store(d.qReal, place, sqr)
        store(d.qImaginary, place, sqi)
        store(d.gammaReal, place, sgr)
        store(d.gammaImaginary, place, sgi)
    }
}

var complexEMAKernels: ComplexEMAKernels {
    ComplexEMAKernels(complexEMA: complexEMA, complexEMABackward: complexEMABackward)
}
