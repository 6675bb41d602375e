import CSIMD

// Complex EMA (GECKO.md, CEMA) for the 16 channels d..<d + 16 (those below `dim` are real). Coefficients and states are
// [N, ld] with ld = dim rounded up to 16, so a lane is a channel; time runs in tiles of at most `KernelTable.emaTile` tokens that are copied
// to a contiguous block (a column of x with a power-of-two stride would fall into one cache set). A tile begins at `starts[k]`
// and ends where the next begins; `resets[k]` != 0 marks a tile that begins with a bos.

/// y = x + Re sum_n gamma_n h_n with h = [not bos] q h + p x. h (re, im) is the state, in and out; `entries` [_, 2, N, ld]
/// receives the state at the entrance of each tile that doesn't begin with a bos (there it is 0), for the backward. scratch: `KernelTable.emaScratch` floats.
func complexEMA(
    _ y: MP, _ hr: MP, _ hi: MP, _ entries: MP, _ x: P, _ p: P, _ qr: P, _ qi: P, _ gr: P, _ gi: P,
    _ starts: UnsafePointer<Int32>, _ resets: UnsafePointer<UInt8>, _ tiles: Int, _ rows: Int, _ dim: Int, _ ld: Int,
    _ N: Int, _ d: Int, _ scratch: MP
) {
    let xt = scratch
    let yt = scratch + 1024
    let width = min(16, dim &- d)
    var e = entries
    var k = 0
    while k < tiles {
        let t0 = Int(starts[k])
        let t1 = k &+ 1 < tiles ? Int(starts[k &+ 1]) : rows
        var t = t0
        while t < t1 {
            let v = load(x + (t &* dim &+ d), 0, upTo: width)
            store(xt, (t &- t0) &* 16, v)
            store(yt, (t &- t0) &* 16, v)
            t &+= 1
        }
        let end = (t1 &- t0) &* 16
        var n = 0
        while n < N {
            let a = n &* ld &+ d
            // Two orders at a time hide the latency of the recurrence; an odd last one runs twice with gamma = 0.
            let pair = n &+ 1 < N
            let b = pair ? a &+ ld : a
            if resets[k] != 0 {
                store(hr, a, .zero)
                store(hi, a, .zero)
                store(hr, b, .zero)
                store(hi, b, .zero)
            } else {
                store(e, a, load(hr, a))
                store(e + N &* ld, a, load(hi, a))
                store(e, b, load(hr, b))
                store(e + N &* ld, b, load(hi, b))
            }
            let pa = load(p, a)
            let ra = load(qr, a)
            let ia = load(qi, a)
            let ga = load(gr, a)
            let na = -load(gi, a)
            let pb = load(p, b)
            let rb = load(qr, b)
            let ib = load(qi, b)
            let gb = pair ? load(gr, b) : .zero
            let nb = pair ? -load(gi, b) : .zero
            var har = load(hr, a)
            var hai = load(hi, a)
            var hbr = load(hr, b)
            var hbi = load(hi, b)
            var i = 0
            while i < end {
                let xv = load(xt, i)
                let ur = fma(-ia, hai, fma(ra, har, pa * xv))
                let ui = fma(ia, har, ra * hai)
                har = ur
                hai = ui
                let wr = fma(-ib, hbi, fma(rb, hbr, pb * xv))
                let wi = fma(ib, hbr, rb * hbi)
                hbr = wr
                hbi = wi
                let ya = fma(ga, har, fma(na, hai, load(yt, i)))
                store(yt, i, fma(gb, hbr, fma(nb, hbi, ya)))
                i &+= 16
            }
            store(hr, a, har)
            store(hi, a, hai)
            store(hr, b, hbr)
            store(hi, b, hbi)
            n &+= 2
        }
        if resets[k] == 0 { e += 2 &* N &* ld }
        t = t0
        while t < t1 {
            store(y + (t &* dim &+ d), 0, load(yt, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &+= 1
    }
}

/// Backward of `complexEMA`: dx = dy + the EMA's share, in reverse time with g = conj(gamma) dy + carry. dh (re, im) [N, ld] is the
/// gradient of the state, handed on in, received out. dp, dqr, dqi, dgr, dgi [N, ld] are added to. scratch: `KernelTable.emaScratch` floats.
func complexEMABackward(
    _ dx: MP, _ dhr: MP, _ dhi: MP, _ dp: MP, _ dqr: MP, _ dqi: MP, _ dgr: MP, _ dgi: MP, _ dy: P, _ x: P,
    _ entries: P, _ p: P, _ qr: P, _ qi: P, _ gr: P, _ gi: P, _ starts: UnsafePointer<Int32>,
    _ resets: UnsafePointer<UInt8>, _ tiles: Int, _ rows: Int, _ dim: Int, _ ld: Int, _ N: Int, _ d: Int,
    _ scratch: MP
) {
    let xt = scratch
    let gt = scratch + 1024
    let ot = scratch + 2048
    let hs = scratch + 3072
    let width = min(16, dim &- d)
    var e = entries
    var k = 0
    while k < tiles {
        if resets[k] == 0 { e += 2 &* N &* ld }
        k &+= 1
    }
    k = tiles &- 1
    while k >= 0 {
        let t0 = Int(starts[k])
        let t1 = k &+ 1 < tiles ? Int(starts[k &+ 1]) : rows
        var t = t0
        while t < t1 {
            let g = load(dy + (t &* dim &+ d), 0, upTo: width)
            store(xt, (t &- t0) &* 16, load(x + (t &* dim &+ d), 0, upTo: width))
            store(gt, (t &- t0) &* 16, g)
            store(ot, (t &- t0) &* 16, g)
            t &+= 1
        }
        let end = (t1 &- t0) &* 16
        if resets[k] == 0 { e -= 2 &* N &* ld }
        var n = 0
        while n < N {
            let a = n &* ld &+ d
            let pa = load(p, a)
            let ra = load(qr, a)
            let ia = load(qi, a)
            let ga = load(gr, a)
            let na = -load(gi, a)
            var hr = V.zero
            var hi = V.zero
            if resets[k] == 0 {
                hr = load(e, a)
                hi = load(e + N &* ld, a)
            }
            store(hs, 0, hr)
            store(hs, 16, hi)
            var i = 0
            while i < end {
                let ur = fma(-ia, hi, fma(ra, hr, pa * load(xt, i)))
                hi = fma(ia, hr, ra * hi)
                hr = ur
                store(hs, 2 &* i &+ 32, hr)
                store(hs, 2 &* i &+ 48, hi)
                i &+= 16
            }
            var cr = load(dhr, a)
            var ci = load(dhi, a)
            var sp = load(dp, a)
            var sqr = load(dqr, a)
            var sqi = load(dqi, a)
            var sgr = load(dgr, a)
            var sgi = load(dgi, a)
            i = end &- 16
            while i >= 0 {
                let yv = load(gt, i)
                let hr1 = load(hs, 2 &* i &+ 32)
                let hi1 = load(hs, 2 &* i &+ 48)
                let hr0 = load(hs, 2 &* i)
                let hi0 = load(hs, 2 &* i &+ 16)
                let wr = fma(ga, yv, cr)
                let wi = fma(na, yv, ci)
                store(ot, i, fma(pa, wr, load(ot, i)))
                sp = fma(load(xt, i), wr, sp)
                sgr = fma(hr1, yv, sgr)
                sgi = fma(-hi1, yv, sgi)
                sqr = fma(hr0, wr, fma(hi0, wi, sqr))
                sqi = fma(hr0, wi, fma(-hi0, wr, sqi))
                cr = fma(ra, wr, ia * wi)
                ci = fma(-ia, wr, ra * wi)
                i &-= 16
            }
            if resets[k] != 0 {
                cr = .zero
                ci = .zero
            }
            store(dhr, a, cr)
            store(dhi, a, ci)
            store(dp, a, sp)
            store(dqr, a, sqr)
            store(dqi, a, sqi)
            store(dgr, a, sgr)
            store(dgi, a, sgi)
            n &+= 1
        }
        t = t0
        while t < t1 {
            store(dx + (t &* dim &+ d), 0, load(ot, (t &- t0) &* 16), upTo: width)
            t &+= 1
        }
        k &-= 1
    }
}
