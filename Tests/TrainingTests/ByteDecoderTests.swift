import Corpora
import Testing

@Suite struct ByteDecoderTests {
    @Test func `a character appears with its last byte`() {
        var decoder = ByteDecoder()
        #expect("aé€😀".utf8.map { decoder.decode(Int32($0)) } == ["a", "", "é", "", "", "€", "", "", "", "😀"])
        #expect(decoder.finish() == "")
    }

    @Test func `broken bytes are repaired and bos ends a character`() {
        var decoder = ByteDecoder()
        #expect(decoder.decode(0xE2) == "")
        #expect(decoder.decode(0x82) == "")
        #expect(decoder.decode(65) == "\u{FFFD}A")
        #expect(decoder.decode(0xC3) == "")
        #expect(decoder.decode(ByteVocabulary.bos) == "\u{FFFD}")
        #expect(decoder.decode(0xF0) == "")
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(decoder.decode(66) == "B")
    }

    @Test func `any bytes give the text that the standard library gives`() {
        // Bytes near the borders of UTF-8's ranges meet often in short strings.
        let alphabet: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var state: UInt64 = 11
        for _ in 0..<5000 {
            let bytes = (0..<8).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            }
            #expect(ByteDecoder.text(bytes.map(Int32.init)) == String(decoding: bytes, as: UTF8.self), "\(bytes)")
        }
    }

    @Test func `a prompt comes back, after bos when packed`() {
        #expect(ByteVocabulary.encode("Né", packed: true) == [256, 78, 0xC3, 0xA9])
        #expect(ByteDecoder.text(ByteVocabulary.encode("Né\n", packed: false)) == "Né\n")
    }

    @Test func `control characters become visible`() {
        #expect("a\u{1B}[2J\tb\r\n\u{7F}\u{9B}é".withVisibleControls == "a␛[2J\tb␍\n␡\u{FFFD}é")
    }
}
