import Files
import Testing

@Suite struct ShownTests {
    @Test(arguments: [
        ("1e-3\r", "\"1e-3\\r\""), ("plain", "\"plain\""), ("a\tb\nc", "\"a\\tb\\nc\""),
        ("\u{1B}[31m", "\"\\u{1B}[31m\" (with U+001B ESCAPE)"),
        ("1\u{A0}000", "\"1\\u{A0}000\" (with U+00A0 NO-BREAK SPACE)"),
        ("\u{FF11}\u{FF12}", "\"１２\" (with U+FF11 FULLWIDTH DIGIT ONE, U+FF12 FULLWIDTH DIGIT TWO)"),
        ("\u{2212}1", "\"−1\" (with U+2212 MINUS SIGN)"), ("\u{2013}1", "\"–1\" (with U+2013 EN DASH)"),
        ("tru\u{435}", "\"truе\" (with U+0435 CYRILLIC SMALL LETTER IE)"),
        ("\u{201C}x\u{201D}", "\"“x”\" (with U+201C LEFT DOUBLE QUOTATION MARK, U+201D RIGHT DOUBLE QUOTATION MARK)"),
        ("\u{FEFF}x", "\"\\u{FEFF}x\" (with U+FEFF ZERO WIDTH NO-BREAK SPACE)"),
        ("say \"\\r\"", "\"say \\\"\\\\r\\\"\""),
        ("\u{202E}x", "\"\\u{202E}x\" (with U+202E RIGHT-TO-LEFT OVERRIDE)"),
    ])
    func `what can't be seen is shown, what looks like something else is named`(text: String, shown: String) {
        #expect(Shown.found(text) == shown)
    }

    @Test func `names are plain or quoted, long texts are cut, messages keep their lines`() {
        #expect(Shown.name("model.dim") == "model.dim")
        #expect(Shown.name("model.d\u{456}m").contains("U+0456"))
        #expect(Shown.name("a b") == "\"a b\"" && Shown.name("") == "\"\"")
        #expect(Shown.quoted(String(repeating: "x", count: 5000)).count < 300)
        #expect(Shown.escaped("a\r\n\u{200B}b", keeping: ["\n"]) == "a\\r\n\\u{200B}b")
        #expect(Shown.escaped("é – ok") == "é – ok")
    }

    @Test(arguments: [
        ("\u{FF11}\u{FF12}", "12"), ("\u{2212}1", "-1"), ("\u{2013}3e\u{2011}4", "-3e-4"), ("\u{A0} 7\u{200B}", "7"),
        ("\u{201C}cosine\u{201D}", "cosine"), ("1e-3\r", "1e-3"), ("tru\u{435}", "true"), ("\u{663}", "3"),
        ("'8'", "8"),
    ])
    func `plain characters are found for those that look alike`(text: String, plain: String) {
        #expect(PlainText.meant(by: text) == plain)
    }
}
