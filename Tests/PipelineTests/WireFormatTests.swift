import Numerics
import Pipeline
import Testing

/// What goes through a message comes out rounded as it should be.
@Suite struct WireFormatTests {
    private static func sent(_ values: [Float], as wire: WireFormat) -> [Float] {
        let buffer = FloatBuffer(values.count)
        for (i, value) in values.enumerated() { buffer.base[i] = value }
        wire.pack(buffer, count: buffer.count)
        // What lies behind the message doesn't travel.
        let bytes = UnsafeMutableRawPointer(buffer.base)
        for i in wire.bytes(of: values.count)..<4 * values.count {
            bytes.storeBytes(of: 0xff, toByteOffset: i, as: UInt8.self)
        }
        wire.unpack(buffer, count: buffer.count)
        return values.indices.map { buffer.base[$0] }
    }

    @Test(arguments: [1, 15, 16, 17, 64, 100]) func everyNumberIsTheNearestOfEightBits(count: Int) {
        let numbers = CounterGenerator(seed: 3, stream: 1)
        let values = (0..<count).map { Float(numbers.uniform(UInt64($0)) - 0.5) * 1000 }
        let found = Self.sent(values, as: .bfloat16)
        for (a, b) in zip(values, found) {
            #expect(abs(a - b) <= abs(a) / 256)
            #expect(b.bitPattern & 0xffff == 0)
        }
        #expect(Self.sent(found, as: .bfloat16) == found)
        #expect(Self.sent(values, as: .float32) == values)
    }

    @Test func tiesGoToEvenAndPeculiarNumbersStay() {
        let one = Float(1).bitPattern
        let ties = [one + 0x8000, one + 0x1_8000, one + 0x7fff, one + 0x8001].map { Float(bitPattern: $0) }
        let expected = [one, one + 0x2_0000, one, one + 0x1_0000].map { Float(bitPattern: $0) }
        #expect(Self.sent(ties, as: .bfloat16) == expected)
        let peculiar: [Float] = [0, -0.0, .infinity, -.infinity, .greatestFiniteMagnitude]
        let found = Self.sent(peculiar, as: .bfloat16)
        #expect(found == [0, 0, .infinity, -.infinity, .infinity])
        #expect(found[1].sign == .minus)
        for nan in [Float.nan, Float(bitPattern: 0x7fff_ffff), Float(bitPattern: 0xff80_0001)] {
            #expect(Self.sent([nan, 1], as: .bfloat16)[0].isNaN)
        }
    }
}
