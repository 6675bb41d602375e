import Files
import Testing

@Suite struct ParameterDigestTests {
    @Test func `has the known answers`() {
        var digest = ParameterDigest()
        #expect(digest.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        Array("abc".utf8).withUnsafeBytes { digest.update($0) }
        #expect(digest.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `floats are taken as little-endian bytes, in pieces or at once`() {
        var whole = ParameterDigest()
        let bytes: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
        bytes.withUnsafeBytes { whole.update($0) }
        var pieces = ParameterDigest()
        for value: Float in [1, -2] { [value].withUnsafeBufferPointer { pieces.update($0) } }
        #expect(whole.hex() == pieces.hex())
    }
}
