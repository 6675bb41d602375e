import Hardware
import Testing
import Training

@Suite struct SizeCheckTests {
    private func check(_ overrides: String..., world: Int? = nil, limit: Int = 1 << 35) throws -> String {
        let configuration = try RunConfiguration.load(file: nil, overrides: ["--data.path=c.txt"] + overrides)
        let check = SizeCheck(try configuration.validated(world: world))
        do {
            try check.checkCounts()
            try check.checkMemory(world: world, limits: [MemoryLimit(bytes: limit, source: "made up")])
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func `ordinary runs pass`() throws {
        #expect(try check() == "")
        #expect(try check("--pipeline.stages=4", world: 4) == "")
        #expect(try check("--data.sequence=1048576", "--pipeline.slice=1024", "--training.batch=8") == "")
    }

    @Test func `what memory can't hold is refused by arithmetic, with what takes it`() throws {
        let layers = try check("--model.layers=16384", "--model.dim=4096")
        #expect(layers.contains("this run needs at least") && layers.contains("32 GiB for it (made up)"), "\(layers)")
        #expect(layers.contains("parameters, gradients and moments") && layers.contains("fewer or narrower layers"))
        #expect(try check("--model.dim=1048576", "--model.value_dim=1048576").contains("fewer or narrower layers"))
        let slice = try check("--data.sequence=16777216")
        #expect(slice.contains("activations of one slice") && slice.contains("pipeline.slice"), "\(slice)")
        let batch = try check("--training.batch=1048576", "--data.sequence=4096")
        #expect(batch.contains("a step's tokens") || batch.contains("activations"), "\(batch)")
        #expect(try check("--model.vocabulary=16777216", "--model.dim=65536") != "")
        // A rank of many needs its part only.
        #expect(try check("--model.layers=512", "--model.dim=1024", limit: 1 << 32) != "")
        #expect(try check("--model.layers=512", "--model.dim=1024", world: 512, limit: 1 << 32) == "")
    }

    @Test func `a table of too many actions is refused with sizes that do`() throws {
        let text = try check("--data.sequence=1048576", "--pipeline.slice=128", "--training.batch=2048")
        #expect(text.contains("33554432 actions = 2 x 1 stages x 2048 sequences x 8192 slices"), "\(text)")
        #expect(text.contains("pipeline.slice = 256") && text.contains("training.batch = 1024"))
        #expect(
            try check("--data.sequence=1048576", "--pipeline.slice=256", "--training.batch=2048", limit: 1 << 42) == "")
        #expect(
            try check("--data.sequence=1048576", "--pipeline.slice=128", "--training.batch=1024", limit: 1 << 42) == "")
    }

    @Test func `sizes past all counting are no crash`() throws {
        for overrides in [
            [
                "--model.dim=1048576", "--model.z_dim=1048576", "--model.value_dim=1048576",
                "--data.sequence=2147483632", "--model.chunk=16",
            ],
            ["--model.chunk=16777216", "--data.sequence=1073741824", "--model.ema_dim=4096", "--model.dim=1048576"],
            ["--training.batch=16777216", "--data.sequence=2147483520", "--pipeline.slice=128", "--model.chunk=128"],
            ["--model.layers=16384", "--pipeline.stages=16384", "--pipeline.replicas=65536", "--training.batch=65536"],
        ] {
            let configuration = try RunConfiguration.load(file: nil, overrides: ["--data.path=c.txt"] + overrides)
            let check = SizeCheck(try configuration.validated(world: nil))
            #expect(throws: ConfigurationError.self) {
                try check.checkCounts()
                try check.checkMemory(world: nil, limits: [MemoryLimit(bytes: 1 << 40, source: "made up")])
            }
        }
        #expect(Int.max.saturatingTimes(2) == .max && Int.max.saturatingPlus(1) == .max && 3.saturatingTimes(4) == 12)
    }
}
