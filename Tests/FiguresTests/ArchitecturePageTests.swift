import Foundation
import Testing

/// docs/architecture.md draws every folder of Sources, and says what `Package.swift` says of who imports whom.
@Suite struct ArchitecturePageTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func folders(_ path: String) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(path)
        return try FileManager.default.contentsOfDirectory(atPath: root.path).filter {
            var isFolder: ObjCBool = false
            let entry = root.appendingPathComponent($0).path
            return FileManager.default.fileExists(atPath: entry, isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// The drawing, by module: what is said of it, with all lines that go on.
    private static func drawing() throws -> [String: String] {
        let page = try text("docs/architecture.md")
        let picture = try #require(page.split(separator: "```\n", maxSplits: 2).dropFirst().first)
        var said: [String: String] = [:]
        var now: [String] = []
        for line in picture.split(separator: "\n") {
            if let mark = ["├── ", "└── "].first(where: { line.hasPrefix($0) }) {
                now = line.dropFirst(mark.count).prefix(25).split(separator: " ").map(String.init)
            }
            for module in now { said[module, default: ""] += line + "\n" }
        }
        return said
    }

    @Test func `every module is drawn with its folders`() throws {
        let said = try Self.drawing()
        for module in try Self.folders("Sources") where !module.hasPrefix("KernelsV") {
            let line = try #require(said[module], "\(module) is not drawn")
            // A probe is a target of its own; a C module's folder is for its compiler.
            if module == "Probes" || module.hasPrefix("C") && module != "Checkpoints" && module != "Corpora" {
                continue
            }
            for folder in try Self.folders("Sources/" + module) {
                #expect(line.contains(folder), "\(module)/\(folder) is not drawn")
            }
        }
    }

    /// By module of `Package.swift`, what of our own it imports; system libraries and levels of kernels left out.
    private static func imports() throws -> [String: Set<String>] {
        let package = try text("Package.swift").replacing(/\/\/.*/, with: "")
        let names = try Set(folders("Sources")).filter { name in
            !name.hasPrefix("KernelsV") && !["CMPI", "CHwloc", "COpenBLAS", "CSIMD", "CCPU", "CFiles"].contains(name)
        }
        let target = /\.(?:target|executableTarget)\(\s*name: "([^"]+)"(?:,\s*dependencies: \[([^\]]*)\])?/
        var found: [String: Set<String>] = [:]
        for match in package.matches(of: target) where names.contains(String(match.1)) {
            let words = (match.2 ?? "").matches(of: /"([^"]+)"/).map { String($0.1) }
            found[String(match.1)] = Set(words).intersection(names)
        }
        return found
    }

    @Test func `who imports whom is as the package says`() throws {
        let page = try Self.text("docs/architecture.md")
        var said: [String: Set<String>] = [:]
        let table = try #require(page.split(separator: "| module | imports |\n", maxSplits: 1).last)
        for row in table.split(separator: "\n").dropFirst().prefix(while: { $0.hasPrefix("|") }) {
            let cells = row.split(separator: "|").map { $0.matches(of: /`(\w+)`/).map { String($0.1) } }
            for module in cells[0] { said[module] = Set(cells[1]) }
        }
        let imports = try Self.imports()
        #expect(imports.count > 15 && Set(said.keys) == Set(imports.keys))
        for (module, own) in imports where module != "GeckoCommand" {
            #expect(said[module] == own, "\(module) imports \(own.sorted()), the page says \(said[module] ?? [])")
        }
        // Its row says what it leaves out.
        let command = try #require(imports["GeckoCommand"])
        #expect(command.isDisjoint(with: ["Pipeline", "MPI", "Corpora"]))
    }
}
