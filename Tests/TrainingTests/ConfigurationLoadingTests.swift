import Testing
import Training

@Suite struct ConfigurationLoadingTests {
    @Test func `defaults stand for what is not given`() throws {
        let configuration = try RunConfiguration.load(file: nil, overrides: [])
        #expect(configuration == RunConfiguration())
        #expect(configuration.gecko.dim == 192)
        #expect(configuration.pipeline.layers == .balanced)
        #expect(configuration.optimizer.schedule == .cosine)
    }

    @Test func `the command line goes over the file, in both spellings`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "run.toml", "[model]\nlayers = 3\ndim = 64\n[optimizer]\nlearning_rate = 1\n".utf8)
        let configuration = try RunConfiguration.load(
            file: file,
            overrides: [
                "--model.layers", "8", "--data.path=a=b.txt", "--pipeline.recompute", "--model.rope_heads", "-1",
                "--optimizer.schedule", "wsd", "--data.packed", "false", "--run.overwrite",
            ])
        #expect(configuration.gecko.layers == 8)
        #expect(configuration.gecko.dim == 64)
        #expect(configuration.optimizer.learningRate == 1)
        #expect(configuration.data.path == "a=b.txt")
        #expect(configuration.pipeline.recompute && configuration.run.overwrite && !configuration.data.packed)
        #expect(configuration.gecko.ropeHeads == -1)
        #expect(configuration.optimizer.schedule == .wsd)
        #expect(configuration.file == file)
    }

    @Test func `dotted keys, inline tables and lists are read`() throws {
        let configuration = try RunConfiguration.parse(
            toml: "model.dim = 96\npipeline = { stages = 3, layers = [3, 2, 3] }\n", file: "run.toml")
        #expect(configuration.gecko.dim == 96)
        #expect(configuration.pipeline.stages == 3)
        #expect(configuration.pipeline.layers == .explicit([3, 2, 3]))
        let text = try RunConfiguration.load(file: nil, overrides: ["--pipeline.layers", "3, 2,3"])
        #expect(text.pipeline.layers == .explicit([3, 2, 3]))
    }

    @Test(arguments: [
        (
            "[model]\n\nlayer = 3",
            "unknown key model.layer at run.toml:3; did you mean model.layers?"
        ),
        ("[modle]\nlayers = 3", "unknown section [modle] at run.toml:1; did you mean [model]?"),
        (
            "[model]\nleraning_rate = 3",
            "unknown key model.leraning_rate at run.toml:2; did you mean optimizer.learning_rate?"
        ),
        ("[model]\nwarmup = 3", "unknown key model.warmup at run.toml:2; did you mean optimizer.warmup?"),
        ("[model]\nxyzzy = 3", "unknown key model.xyzzy at run.toml:2"),
        ("[network]\nx = 3", "unknown section [network] at run.toml:1; known are model, data"),
        (
            "layers = 3",
            "unknown key layers at run.toml:1: keys belong in a section; did you mean model.layers or pipeline.layers?"
        ),
        ("model = 3", "model at run.toml:1: expected the section [model], found 3"),
        (
            "[model]\nlayers = \"four\"",
            "model.layers at run.toml:2: expected an integer of at least 1, found the text \"four\""
        ),
        ("[model]\nlayers = 4.0", "model.layers at run.toml:2: expected an integer of at least 1, found 4.0"),
        ("[model]\nlayers = 0", "expected an integer of at least 1, found 0"),
        ("[model]\nlayers = 3000000000", "expected an integer of at least 1 and at most 16384, found 3000000000"),
        ("[model]\nswiglu = 1", "model.swiglu at run.toml:2: expected true or false, found 1"),
        ("[model]\neps = nan", "expected a finite number above 0, found nan"),
        ("[optimizer]\nclip = inf", "expected a finite number of at least 0, found inf"),
        ("[optimizer]\nclip = -1", "found -1"),
        (
            "[optimizer]\nschedule = \"linear\"",
            "expected one of \"cosine\", \"wsd\", \"constant\", found the text \"linear\""
        ),
        ("[pipeline]\nlayers = [1, \"a\"]", "found a list that holds more than integers"),
        ("[pipeline]\nlayers = \"1,,2\"", "expected \"balanced\", \"even\" or a list"),
        (
            "[data]\npath = 1979-05-27",
            """
            data.path at run.toml:2: expected a path, several separated by commas, or a list of paths such as \
            [\"a.txt\", \"b\"], found a date or time
            """
        ),
        ("[model.layers]\nx = 1", "model.layers at run.toml:1: expected an integer of at least 1, found a table"),
        ("[training]\nsteps = 5\nsteps = 6", "run.toml:3:"),
        ("[training]\nsteps = = 5", "run.toml:2:"),
        ("[training]\nseed = 1\0", "NUL"),
    ])
    func `a fault names the key, its place and what was expected`(toml: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.parse(toml: toml, file: "run.toml")
        }
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `lines are right after multi-line values, comments and quoted keys`() throws {
        let toml = """
            # [model]
            [data]
            separator = \"""
            [model]
            layers = 1
            \""" # the end
            path = '# not a comment'
            [pipeline] # comment
            layers = [ # split
              1,
              2, # [x]
            ]
            [ training ]
            "steps" = "many"
            """
        let error = #expect(throws: ConfigurationError.self) { try RunConfiguration.parse(toml: toml, file: "a.toml") }
        #expect(
            error?.description
                == "training.steps at a.toml:14: expected an integer of at least 1, found the text \"many\"")
    }

    @Test func `all problems are told at once, in the order of the file`() {
        let toml = "[training]\nsteps = -1\n[model]\nzdim = 3\ndim = true"
        let error = #expect(throws: ConfigurationError.self) { try RunConfiguration.parse(toml: toml, file: "a.toml") }
        #expect(
            error?.description == """
                3 problems in the configuration:
                  - training.steps at a.toml:2: expected an integer of at least 1, found -1
                  - unknown key model.zdim at a.toml:4; did you mean model.z_dim?
                  - model.dim at a.toml:5: expected an integer of at least 2, found true
                """)
    }

    @Test(arguments: [
        (
            ["--model.layer", "3"],
            "unknown key model.layer on the command line; did you mean model.layers?"
        ),
        (["--layers=3"], "unknown key layers on the command line; did you mean model.layers or pipeline.layers?"),
        (
            ["--model.layers", "x"],
            "model.layers on the command line: expected an integer of at least 1, found the text \"x\""
        ),
        (["--model.layers"], "model.layers on the command line has no value: expected an integer of at least 1"),
        (["--model.layers", "--model.dim", "3"], "model.layers on the command line has no value"),
        (["--pipeline.recompute", "yes"], "expected true or false, found the text \"yes\""),
        (["corpus.txt"], "\"corpus.txt\" on the command line: expected --section.key value"),
        (["--"], "\"--\" on the command line: expected --section.key value"),
    ])
    func `a faulty override is refused`(arguments: [String], message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: nil, overrides: arguments)
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a file that cannot be read is named with the reason`() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: folder.file("no.toml"), overrides: [])
        }
        #expect(missing?.description.contains("no.toml: No such file") == true, "\(missing?.description ?? "")")
        let binary = try folder.write("binary.toml", [0xFF, 0xFE])
        let invalid = #expect(throws: ConfigurationError.self) {
            try RunConfiguration.load(file: binary, overrides: [])
        }
        #expect(invalid?.description.contains("not UTF-8") == true)
    }
}
