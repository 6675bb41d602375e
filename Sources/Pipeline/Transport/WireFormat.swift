import Numerics

/// How activations and their gradients travel between ranks. Either way they are computed on as 32-bit floats.
package enum WireFormat: Sendable, Equatable {
    case float32
    /// The upper half of a float, rounded to nearest, ties to even: 8 bits of precision for half the bytes.
    case bfloat16

    /// Bytes of a message of `count` numbers.
    package func bytes(of count: Int) -> Int {
        switch self {
        case .float32: count * MemoryLayout<Float>.stride
        case .bfloat16: count * MemoryLayout<UInt16>.stride
        }
    }

    /// Turns the buffer's first floats into what is sent, at its beginning.
    package func pack(_ buffer: FloatBuffer, count: Int) {
        guard self == .bfloat16 else { return }
        let memory = UnsafeMutableRawPointer(buffer.base)
        // Ascending: a write lies before all that is still to be read.
        var i = 0
        while i &+ 16 <= count {
            let bits = memory.load(fromByteOffset: 4 &* i, as: SIMD16<UInt32>.self)
            let half = SIMD16<UInt16>(truncatingIfNeeded: Self.rounded(bits))
            memory.storeBytes(of: half, toByteOffset: 2 &* i, as: SIMD16<UInt16>.self)
            i &+= 16
        }
        while i < count {
            let bits = SIMD16<UInt32>(repeating: memory.load(fromByteOffset: 4 &* i, as: UInt32.self))
            let half = UInt16(truncatingIfNeeded: Self.rounded(bits)[0])
            memory.storeBytes(of: half, toByteOffset: 2 &* i, as: UInt16.self)
            i &+= 1
        }
    }

    /// Turns what was received at the buffer's beginning into floats.
    package func unpack(_ buffer: FloatBuffer, count: Int) {
        guard self == .bfloat16 else { return }
        let memory = UnsafeMutableRawPointer(buffer.base)
        // Descending: a write lies behind all that is still to be read.
        var i = count
        while i & 15 != 0 {
            i &-= 1
            let half = memory.load(fromByteOffset: 2 &* i, as: UInt16.self)
            memory.storeBytes(of: UInt32(half) << 16, toByteOffset: 4 &* i, as: UInt32.self)
        }
        while i > 0 {
            i &-= 16
            let half = memory.load(fromByteOffset: 2 &* i, as: SIMD16<UInt16>.self)
            let bits = SIMD16<UInt32>(truncatingIfNeeded: half) &<< 16
            memory.storeBytes(of: bits, toByteOffset: 4 &* i, as: SIMD16<UInt32>.self)
        }
    }

    /// The rounded upper halves, in the lower ones. What is not a number stays so: rounding could carry it over to
    /// zero.
    @inline(__always)
    private static func rounded(_ bits: SIMD16<UInt32>) -> SIMD16<UInt32> {
        let even = (bits &>> 16) & 1
        let nearest = (bits &+ 0x7fff &+ even) &>> 16
        let isNumber = (bits & 0x7fff_ffff) .<= 0x7f80_0000
        return ((bits &>> 16) | 0x40).replacing(with: nearest, where: isNumber)
    }
}
