package app;

import com.fastn.context.FastnContext;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.util.concurrent.TimeUnit;

public class Main {
    public static class Greeter extends VerticleBase {}

    public static void main(String[] args) throws Exception {
        Vertx vertx = Vertx.vertx();
        Future<String> deployed = vertx.deployVerticle(new Greeter());
        deployed.await(30, TimeUnit.SECONDS);
        System.out.println(FastnContext.status());
        vertx.close().await(30, TimeUnit.SECONDS);
    }
}
