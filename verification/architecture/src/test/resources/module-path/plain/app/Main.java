package app;

import com.fastn.context.FastnContext;

public class Main {
    public static void main(String[] args) {
        try (var checkout = FastnContext.global().child("checkout").open();
                var scope = checkout.makeCurrent();
                var guard = checkout.mutex("orders").tryLock()) {
            System.out.println(FastnContext.status());
        }
    }
}
