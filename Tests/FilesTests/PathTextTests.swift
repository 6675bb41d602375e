import Files
import Testing

@Suite struct PathTextTests {
    private static let environment = PathEnvironment { name in
        ["SCRATCH": "/scratch/anna", "EMPTY": "", "DAY_2": "mon{day}$", "ROOT": "/"][name]
    } home: { user in
        [nil: "/home/me", "anna": "/home/anna"][user]
    }

    private func read(_ text: String, _ placeholders: [String]? = []) throws -> String {
        try PathText.read(text, placeholders: placeholders, environment: Self.environment)
    }

    @Test(arguments: [
        ("~", "/home/me"), ("~/r", "/home/me/r"), ("~anna/r", "/home/anna/r"), ("a/~/b", "a/~/b"), ("./~x", "./~x"),
        ("$SCRATCH/r", "/scratch/anna/r"), ("${SCRATCH}r", "/scratch/annar"), ("a$$b", "a$b"),
        ("$$SCRATCH", "$SCRATCH"),
        ("runs/", "runs"), ("/", "/"), ("//a///b//", "/a/b"), ("$ROOT/x", "/x"), ("", ""), ("é 한.txt", "é 한.txt"),
        ("a/$DAY_2", "a/mon{day}$"), ("x{{nme}}", "x{nme}"), ("a}b", "a}b"),
    ])
    func `what a path may hold is expanded`(text: String, path: String) throws {
        #expect(PathText.fill(try read(text)) == path)
    }

    @Test(arguments: [
        ("~nobody-here/r", "there is no user nobody-here"), ("$UNSET/r", "$UNSET in \"$UNSET/r\" is not set here"),
        ("${EMPTY}/r", "$EMPTY in \"${EMPTY}/r\" is empty here"), ("a$", "after $ comes a name"),
        ("$1/x", "write $$ for a $ itself"), ("${SCRATCH:-x}", "after $ comes a name"),
        ("$(pwd)", "after $ comes a name"),
        ("x{nme}", "{nme} in \"x{nme}\" is no placeholder"), ("x{", "a { without its }"),
        ("r\r", "\"r\\r\" has U+000D CARRIAGE RETURN"), ("r\0s", "U+0000 NUL"),
        ("a\u{200B}", "U+200B ZERO WIDTH SPACE"),
        ("\u{FEFF}runs", "U+FEFF"), ("a\nb", "U+000A LINE FEED"),
    ])
    func `what means nothing is refused by name`(text: String, words: String) {
        let problem = #expect(throws: PathProblem.self) { try read(text) }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }

    @Test func `placeholders are those of the key, and filled later`() throws {
        let known = ["run", "rank"]
        let text = try read("{run}/l{{x}}/$DAY_2-{rank}/", known)
        #expect(PathText.fill(text, ["run": "a{b}", "rank": "3"]) == "a{b}/l{x}/mon{day}$-3")
        let problem = #expect(throws: PathProblem.self) { try read("x{nme}", known) }
        #expect(problem?.description.contains("{nme} in \"x{nme}\" is none of {run}, {rank}") == true)
        #expect(PathText.holds("rank", in: text) && !PathText.holds("x", in: text))
        #expect(try read("a{b}", nil) == "a{b}")
    }

    @Test(arguments: ["/a/$b", "~x/y", "a{b}c", "$$", "{name}", "a b", "plain"])
    func `a finished path reads back as itself, whatever the environment`(path: String) throws {
        let written = PathText.written(PathText.literal(path))
        let back = PathText.fill(try read(written, ["name"]))
        #expect(back == (path.hasPrefix("~") ? "./" + path : path))
    }
}
