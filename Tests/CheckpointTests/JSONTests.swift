import JSON
import Testing

@Suite struct JSONTests {
    @Test func `reads every kind of value`() throws {
        let value = try JSONParser.parse(
            #" {"a": [1, -2, 3.5e2, true, false, null], "b": {"c": "x"}, "d": {}, "e": []} "#)
        func node(_ value: JSONValue) -> JSONNode { JSONNode(value, range: 0..<0) }
        let list: [JSONValue] = [.integer(1), .integer(-2), .number("3.5e2"), .boolean(true), .boolean(false), .null]
        let expected = JSONValue.object([
            .init(key: "a", node: node(.array(list.map(node)))),
            .init(key: "b", node: node(.object([.init(key: "c", node: node(.string("x")))]))),
            .init(key: "d", node: node(.object([]))), .init(key: "e", node: node(.array([]))),
        ])
        #expect(value.value == expected)
    }

    @Test func `a value knows its bytes and the line they are in`() throws {
        let text = Array("{\"a\": 1,\n \"b\": [12, \"x\"]}".utf8)
        let root = try JSONParser.parse(text)
        guard case .array(let elements)? = root["b"]?.value else {
            Issue.record("no array")
            return
        }
        #expect(String(decoding: text[elements[0].range], as: UTF8.self) == "12")
        #expect(JSONParser.place(of: elements[1].range.lowerBound, in: text) == (2, 12))
        #expect(root["a"]?.number == 1 && root["c"] == nil && elements[1].string == "x")
        #expect(try JSONParser.parse("1e999").number == nil)
    }

    @Test func `reads escapes and surrogate pairs`() throws {
        let value = try JSONParser.parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é""#)
        #expect(value.value == .string("\"\\/\u{8}\u{C}\n\r\tAé😀é"))
    }

    @Test func `an integer beyond 64 bits stays text`() throws {
        #expect(try JSONParser.parse("9223372036854775807").value == .integer(.max))
        #expect(try JSONParser.parse("9223372036854775808").value == .number("9223372036854775808"))
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("{\"a\" 1}", 5), ("{a:1}", 1), ("01", 0), ("-", 1),
        ("1.", 2),
        ("1e", 2), ("tru", 0), ("nul", 0), ("\"abc", 0), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 1),
        ("\"\\ud800\\u0041\"", 1), ("\"\\udc00\"", 1), ("\"a\nb\"", 2), ("1 2", 2), ("{\"a\":1,\"a\":2}", 7),
        ("{\"a\":1,\"\\u0061\":2}", 7), ("[1", 2), ("+1", 0), ("NaN", 0), ("{} x", 3),
    ])
    func `refuses malformed text at the right byte`(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(error?.offset == offset, "\(error?.description ?? "")")
    }

    @Test func `refuses invalid UTF-8`() {
        let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
        #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
    }

    @Test func `refuses nesting deep enough to exhaust the stack`() {
        let text = String(repeating: "[", count: 1_000_000)
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(error?.reason.contains("nested") == true)
    }

    @Test(arguments: ["", "plain", "quote \" slash \\ line\nreturn\r tab\t bell\u{7} é 😀"])
    func `a written string reads back`(text: String) throws {
        #expect(try JSONParser.parse(JSONText.quoted(text)).value == .string(text))
    }

    @Test func `numbers are written in the fewest digits`() {
        #expect(JSONText.exact(3) == "3")
        #expect(JSONText.exact(0.1) == "0.1")
        #expect(JSONText.exact(1e-7) == "1e-07")
        #expect(JSONText.exact(.nan) == "null")
        #expect(JSONText.exact(-.infinity) == "null")
    }
}
