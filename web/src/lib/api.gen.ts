// openapi.json 0888757b45871179db7f67d4e8bd2251c8c2528b5d88b730bbf8c4a303d6238a
// Generated from service/openapi.json; `make openapi` writes it anew. Do not edit.

export interface paths {
    "/api/about": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What kind of installation this is. */
        get: operations["about"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agent/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whose token an agent has. */
        get: operations["whoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show the password again, and the code where there is a second factor: for ten minutes what needs that is allowed. */
        post: operations["confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/email/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Confirm an address with a letter's link: that of the account, or the new one that was asked for. */
        post: operations["confirm_email"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log in. */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log in, second step: the code. */
        post: operations["login_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log out: ends the log-in in this browser. */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout-everywhere": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Log out everywhere: ends all log-ins of the person, this one too. */
        post: operations["logout_everywhere"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Renew the log-in: takes the refresh cookie, sets both anew. */
        post: operations["renew"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask for a letter with a link to a new password. The answer is the same for every address. */
        post: operations["ask_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/reset/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set a new password with a letter's link: ends all log-ins. The second factor stays. */
        post: operations["finish_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An account and, unless one joins another's, its first team. */
        post: operations["signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signup/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Finish a sign-up: with the secret of the letter's link, and the password of the sign-up. */
        post: operations["finish_signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signup/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the letter of a sign-up once more. The answer is the same for every address. */
        post: operations["resend_signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The channels that a sample can have. */
        get: operations["list_channels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is logged in, and their teams. */
        get: operations["who"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Delete one's account, at once and for good. Asks for password and code; refused to the only owner of a team. */
        post: operations["delete_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for another address: it is used once a link that is sent there was opened. The answer is the same for every
         *     address.
         */
        post: operations["change_email"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/email/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send the letter that confirms one's own address once more. */
        post: operations["resend_verification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that is one's own, as a file. Needs the password shown within ten minutes. */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/logins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One's own log-ins, those used last first. */
        get: operations["list_logins"];
        put?: never;
        post?: never;
        /** End all of one's own log-ins but this one. */
        delete: operations["end_other_logins"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/logins/{login}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of one's own log-ins: within seconds it can do nothing more, and its live view closes. */
        delete: operations["end_login"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Another name. */
        put: operations["rename"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change the password: asks for the current one, ends all other log-ins. */
        post: operations["change_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** New recovery codes: those until now are good no more. */
        post: operations["new_recovery_codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin with a second factor: gives what the app needs. It is asked for once a code has shown that the app works. */
        post: operations["begin_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/second-factor/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show that the app works: from now on log-ins ask for a code. Ends all other log-ins. */
        post: operations["confirm_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me/second-factor/remove": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove the second factor: asks for password and code, ends all other log-ins. */
        post: operations["remove_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Another team. */
        post: operations["create_team"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/rigs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The team's rigs and what each is doing. */
        get: operations["list_rigs"];
        put?: never;
        /** A rig with its first token. */
        post: operations["create_rig"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/rigs/{rig}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a rig and its tokens; what it recorded stays. */
        delete: operations["delete_rig"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/rigs/{rig}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Another token for a rig. */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/rigs/{rig}/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a token; a connection that was made with it ends. */
        delete: operations["revoke_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The team's sessions, newest first. */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session with everything about our car. */
        get: operations["session_detail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/sessions/{session}/cars/{car}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What one car did in a session. */
        get: operations["car_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/sessions/{session}/laps/{lap}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Our car's samples of a lap. */
        get: operations["lap_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team}/setups/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A setup. */
        get: operations["find_setup"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures for Prometheus. */
        get: operations["scrape"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The database answers too. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description This installation. */
        About: {
            /** @description People come over TLS. Where not, this is a private network, and pages say that whoever listens there reads along. */
            https: boolean;
            /** @description Where letters go; `log`: their links are in the service's log, and whoever runs it passes them on. */
            mail: components["schemas"]["Delivery"];
            /** @description Whether a sign-up waits for its link, and an account for its address, before teams, tokens and invitations. */
            verified_email: boolean;
            /** @description Version of the service. */
            version: string;
        };
        /** @description What one car did in a session. */
        CarHistory: {
            /** @description Its driver changes. */
            driver_changes: components["schemas"]["DriverChangeRow"][];
            /** @description Its laps, in their order. */
            laps: components["schemas"]["LapRow"][];
            /** @description Its pit visits. */
            pit_stops: components["schemas"]["PitStopRow"][];
            /** @description Its stints. */
            stints: components["schemas"]["StintRow"][];
        };
        /**
         * @description A car within a session, stable over driver swaps. Short text chosen by the source: the game's slot and, where the
         *     game gives slots out again, a mark of the vehicle (`17-a3f29c`).
         */
        CarKey: string;
        /** @description Another address. */
        ChangeEmail: {
            /** @description Code, where there is a second factor. */
            code?: string | null;
            /** @description The new address. */
            email: string;
            /** @description The password. */
            password: string;
        };
        /** @description Another password. */
        ChangePassword: {
            /** @description Code, where there is a second factor. */
            code?: string | null;
            /** @description The password until now. */
            current: string;
            /** @description The new one, at least 10 characters. */
            password: string;
        };
        /** @description A channel of the catalogue. */
        ChannelRow: {
            /** @description What it is about. */
            group: string;
            /** @description Name. */
            name: string;
            /**
             * Format: int32
             * @description Number on the wire.
             */
            number: number;
            /**
             * Format: double
             * @description The value of one step.
             */
            quantum: number;
            /** @description Unit; empty for counts and states. */
            unit: string;
        };
        /** @description A code of the app. */
        Code: {
            /** @description Six digits. */
            code: string;
        };
        /** @description The password was right, and a code is needed. */
        CodeNeeded: {
            /** @description To be sent back with the code, within five minutes. */
            challenge: string;
        };
        /** @description The link of a letter. */
        ConfirmEmail: {
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description The address that is confirmed now. */
        ConfirmedEmail: {
            email: string;
        };
        /**
         * @description A corner of the car.
         * @enum {string}
         */
        Corner: "fl" | "fr" | "rl" | "rr";
        /**
         * @description Where letters go.
         * @enum {string}
         */
        Delivery: "smtp" | "log";
        /** @description Another driver sits in the car. */
        DriverChangeRow: {
            /**
             * Format: double
             * @description Session time in seconds.
             */
            at_s: number;
            /** @description Who drove. */
            from: string;
            /**
             * Format: int32
             * @description On which lap.
             */
            lap: number;
            /** @description Who drives. */
            to: string;
        };
        /**
         * @description Why a session ended.
         * @enum {string}
         */
        EndReason: "left" | "game_closed" | "agent_stopped";
        /** @description What stands in the body of a request that failed. */
        ErrorBody: {
            /** @description The error. */
            error: components["schemas"]["ErrorDetail"];
        };
        /**
         * @description Why something was refused, on a socket or in an HTTP body.
         * @enum {string}
         */
        ErrorCode: "unauthenticated" | "forbidden" | "not_found" | "invalid" | "conflict" | "rate_limited" | "too_large" | "malformed" | "unsupported_version" | "token_mistyped" | "token_revoked" | "out_of_order" | "unavailable" | "internal" | "confirm_required" | "email_unverified";
        /** @description What went wrong. */
        ErrorDetail: {
            /** @description For programs. */
            code: components["schemas"]["ErrorCode"];
            /** @description The field of the request that was wrong. */
            field?: string | null;
            /** @description For people. */
            message: string;
            /** @description Trace id of the request, for support. */
            trace: string;
        };
        /** @description Everything that the service keeps about a person and that is nobody else's. */
        Export: {
            account: components["schemas"]["ExportedAccount"];
            /**
             * Format: int32
             * @description Version of this format.
             */
            format: number;
            /** @description The log-ins that are good. */
            logins: components["schemas"]["Login"][];
            /** Format: date-time */
            made_at: string;
            /** @description The teams that the person is a member of. What the teams recorded is theirs, and exported there. */
            teams: components["schemas"]["ExportedTeam"][];
        };
        ExportedAccount: {
            /** Format: date-time */
            created_at: string;
            email: string;
            /** Format: date-time */
            email_verified_at?: string | null;
            id: components["schemas"]["UserId"];
            name: string;
            /** Format: date-time */
            password_changed_at: string;
            pending_email?: string | null;
            /** Format: int64 */
            recovery_codes_left: number;
            /** Format: date-time */
            second_factor_since?: string | null;
        };
        ExportedTeam: {
            id: components["schemas"]["TeamId"];
            /** Format: date-time */
            joined_at: string;
            name: string;
            role: string;
        };
        /** @description A new password, with the link of a letter. */
        FinishReset: {
            /** @description The new password, at least 10 characters. */
            password: string;
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /** @description The link of a sign-up. */
        FinishSignUp: {
            /** @description The password of the sign-up. */
            password: string;
            /** @description What stands behind the `#` of the link. */
            token: string;
        };
        /**
         * @description The game that a session was driven in.
         * @enum {string}
         */
        Game: "lmu" | "f1" | "rf2";
        /**
         * @description What the game is doing, as far as the driver's car goes.
         * @enum {string}
         */
        GameState: "not_running" | "menu" | "garage" | "on_track" | "paused" | "replay" | "spectating";
        /** @description A completed lap. What the game did not tell is absent. */
        LapRow: {
            /**
             * Format: double
             * @description Session time in seconds at which the lap ended.
             */
            at_s: number;
            /**
             * Format: int32
             * @description Position in class at the line.
             */
            class_position?: number | null;
            /** @description Tyre compound, as the game names it. */
            compound?: string | null;
            /** @description Who crossed the line. */
            driver: string;
            /**
             * Format: float
             * @description Fuel at the line in kilograms (our car).
             */
            fuel_kg?: number | null;
            /**
             * Format: float
             * @description Fuel at the line in litres (our car).
             */
            fuel_l?: number | null;
            /**
             * Format: float
             * @description Kilograms used on this lap.
             */
            fuel_used_kg?: number | null;
            /**
             * Format: float
             * @description Litres used on this lap, where both lines were seen and nothing was filled in between.
             */
            fuel_used_l?: number | null;
            /** @description The lap ended in the pit lane. */
            in_lap: boolean;
            /**
             * Format: int32
             * @description Number of the lap, from 1.
             */
            lap: number;
            /** @description The lap began in the pit lane or garage. */
            out_lap: boolean;
            /**
             * Format: int32
             * @description Overall position at the line.
             */
            position?: number | null;
            /** @description Single sector times in milliseconds. */
            sectors_ms: (number | null)[];
            /**
             * Format: int32
             * @description Which stint of the car it belongs to, from 1.
             */
            stint: number;
            /**
             * Format: int32
             * @description Lap time in milliseconds.
             */
            time_ms?: number | null;
            /** @description Tyre wear at the line in percent worn, FL FR RL RR (our car). */
            tire_wear_pct?: number[] | null;
            /** @description Whether the game counts it. */
            valid?: boolean | null;
            /**
             * Format: float
             * @description Virtual energy at the line in percent (our car).
             */
            virtual_energy_pct?: number | null;
            /**
             * Format: float
             * @description Percent of virtual energy used on this lap.
             */
            virtual_energy_used_pct?: number | null;
        };
        /** @description What happens next. */
        LetterSent: {
            /** @description Always `letter`: whoever reads the mailbox of the address finds what to do there. */
            next: string;
        };
        /** @description What a person logs in with. */
        LogIn: {
            /** @description E-mail address. */
            email: string;
            /** @description Password. */
            password: string;
        };
        /** @description The second step of a log-in. */
        LogInCode: {
            /** @description What the first step gave. */
            challenge: string;
            /** @description The six digits of the authenticator app, or a recovery code. */
            code: string;
        };
        /** @description A log-in as its person sees it. */
        Login: {
            /** @description The network that it was opened from, without the last part of the address. */
            address: string;
            /**
             * Format: date-time
             * @description When it was opened.
             */
            created_at: string;
            /** @description Browser and system, in words. */
            device: string;
            /** @description Its id. */
            id: components["schemas"]["LoginId"];
            /** @description Whether it is the one that asks. */
            is_this: boolean;
            /**
             * Format: date-time
             * @description When it was last renewed; within fifteen minutes of its last use.
             */
            last_used_at: string;
        };
        /**
         * Format: uuid
         * @description One log-in of one browser.
         */
        LoginId: string;
        /** @description Who is logged in. */
        Me: {
            /** @description The teams that the person is a member of. */
            teams: components["schemas"]["Team"][];
            user: components["schemas"]["User"];
        };
        /** @description A body with nothing but a name. */
        NewName: {
            /** @description The name, 1 to 64 characters. */
            name: string;
        };
        /** @description A rig that was just made, with its first token. */
        NewRig: {
            rig: components["schemas"]["Rig"];
            /** @description The token, shown this once. */
            token: string;
        };
        /** @description What an authenticator app is set up with. */
        NewSecondFactor: {
            /** @description To be typed in. */
            secret: string;
            /** @description To be shown as a square code. */
            uri: string;
        };
        /** @description A token that was just made. */
        NewToken: {
            /** @description The token, shown this once. */
            token: string;
            token_id: components["schemas"]["TokenId"];
        };
        /** @description What happened and is neither a lap nor a pit visit nor a driver change. */
        Note: {
            /**
             * Format: double
             * @description Session time in seconds.
             */
            at_s: number;
            /** @description What: `{"kind": "phase" | "note", …}`. */
            event: Record<string, never>;
        };
        /** @description A visit to the pits. Instants are seconds of session time. */
        PitStopRow: {
            /** @description Compound on the way in. */
            compound_in?: string | null;
            /** @description Compound on the way out. */
            compound_out?: string | null;
            /** @description Who drove in. */
            driver_in?: string | null;
            /** @description Who drove out. */
            driver_out?: string | null;
            /**
             * Format: double
             * @description Into the pit lane.
             */
            entered_s?: number | null;
            /**
             * Format: double
             * @description Out of the pit lane.
             */
            exited_s?: number | null;
            /**
             * Format: float
             * @description Fuel on the way in, in litres (our car).
             */
            fuel_in_l?: number | null;
            /**
             * Format: float
             * @description Fuel on the way out, in litres (our car).
             */
            fuel_out_l?: number | null;
            /**
             * Format: int32
             * @description On which lap.
             */
            lap: number;
            /**
             * Format: double
             * @description Left the box.
             */
            released_s?: number | null;
            /**
             * Format: int32
             * @description From 1.
             */
            stop: number;
            /**
             * Format: double
             * @description Stopped in the box.
             */
            stopped_s?: number | null;
            /**
             * Format: float
             * @description Virtual energy on the way in, in percent (our car).
             */
            virtual_energy_in_pct?: number | null;
            /**
             * Format: float
             * @description Virtual energy on the way out, in percent (our car).
             */
            virtual_energy_out_pct?: number | null;
        };
        /** @description A proof that it is still the same person. */
        Proof: {
            /** @description Code of the authenticator app or recovery code, where there is a second factor. */
            code?: string | null;
            /** @description Password. */
            password: string;
        };
        /** @description Codes that replace the app once each. Shown this once. */
        RecoveryCodes: {
            recovery_codes: string[];
        };
        /** @description A rig, its tokens, and what it is doing. */
        Rig: {
            /** Format: date-time */
            created_at: string;
            id: components["schemas"]["RigId"];
            name: string;
            state: components["schemas"]["RigState"];
            /** @description Newest first. */
            tokens: components["schemas"]["Token"][];
        };
        /**
         * Format: uuid
         * @description A named installation of the agent.
         */
        RigId: string;
        /** @description What a rig is doing. */
        RigState: {
            /**
             * Format: int64
             * @description When the service last acknowledged something to it, milliseconds since the Unix epoch by the service's clock.
             */
            acked_ms?: number | null;
            /** @description Version of the agent. */
            agent_version?: string | null;
            /**
             * Format: int64
             * @description How far the agent's clock is ahead of the service's, in milliseconds.
             */
            clock_skew_ms?: number | null;
            /** @description Its agent is connected. */
            connected: boolean;
            game?: components["schemas"]["Game"] | null;
            /**
             * Format: int64
             * @description When the last sample came, milliseconds since the Unix epoch by the service's clock.
             */
            last_sample_ms?: number | null;
            /** @description Its name. */
            name: string;
            /** @description Something the team should know. */
            notice?: string | null;
            /** @description The rig. */
            rig: components["schemas"]["RigId"];
            session?: components["schemas"]["SessionId"] | null;
            /**
             * Format: int64
             * @description When that became so, milliseconds since the Unix epoch by the service's clock; absent where it never was connected.
             */
            since_ms?: number | null;
            spool?: components["schemas"]["SpoolState"] | null;
            /** @description What the game is doing. */
            state: components["schemas"]["GameState"];
        };
        /**
         * @description What a member may do in a team.
         * @enum {string}
         */
        Role: "owner" | "member";
        /** @description A car of a session. */
        SessionCar: {
            /**
             * Format: int32
             * @description Best lap in milliseconds, of those that count.
             */
            best_ms?: number | null;
            /** @description The car. */
            car: components["schemas"]["CarKey"];
            /** @description Class. */
            class?: string | null;
            /** @description Who drove it. */
            drivers: string[];
            /**
             * Format: int32
             * @description Laps that were seen.
             */
            laps: number;
            /** @description Number as painted. */
            number?: string | null;
            /** @description It is ours. */
            own: boolean;
        };
        /** @description A session with everything about our car. */
        SessionDetail: components["schemas"]["CarHistory"] & {
            /** @description All cars, ours first, then by number. */
            cars: components["schemas"]["SessionCar"][];
            /** @description What the session is. */
            info: components["schemas"]["SessionInfo"];
            /** @description Everything else, in the order of its happening. */
            notes: components["schemas"]["Note"][];
            /** @description The setups that were in our car, in the order of their use. */
            setups: components["schemas"]["SetupUse"][];
            /** @description As in the list. */
            summary: components["schemas"]["SessionSummary"];
        };
        /**
         * Format: uuid
         * @description One game session of one car as the team followed it. Made by the agent, so that it exists without a connection.
         */
        SessionId: string;
        /** @description What a session is. Sent when it begins and again when any of it changes. */
        SessionInfo: {
            /** @description Our car's key in standings and laps. */
            car: components["schemas"]["CarKey"];
            /** @description Our car's model ("Porsche 963") or, where the game names none, its entry. */
            car_name: string;
            /** @description Class ("Hyper", "LMP2", "GT3"). */
            class?: string | null;
            /** @description Who is driving our car. */
            driver: string;
            /**
             * Format: double
             * @description Planned length in seconds, of a timed session.
             */
            duration_s?: number | null;
            /** @description The entrant's name. */
            entrant?: string | null;
            /** @description The game. */
            game: components["schemas"]["Game"];
            /** @description The game's version as it names itself ("1.4.2", "1.18"). */
            game_version?: string | null;
            /** @description Kind of the session. */
            kind: components["schemas"]["SessionKind"];
            /**
             * Format: int32
             * @description Which of several of its kind, from 1.
             */
            kind_number?: number | null;
            /** @description Car number as painted. */
            number?: string | null;
            /** @description The multiplayer server's name. */
            server?: string | null;
            /**
             * Format: int64
             * @description When the agent saw the session begin, milliseconds since the Unix epoch, by the agent's clock.
             */
            started_at_ms: number;
            /**
             * Format: int32
             * @description Planned length in laps, of a session counted in laps.
             */
            total_laps?: number | null;
            /** @description Track, as the game names it. */
            track: string;
            /**
             * Format: double
             * @description Length of a lap in metres.
             */
            track_length_m?: number | null;
        };
        /**
         * @description Kind of a session.
         * @enum {string}
         */
        SessionKind: "test_day" | "practice" | "qualifying" | "warmup" | "race" | "time_trial" | "unknown";
        /** @description One page of the list. */
        SessionPage: {
            /** @description Where the next page begins: pass it as `before`; absent on the last page. */
            next?: string | null;
            /** @description Newest first. */
            sessions: components["schemas"]["SessionSummary"][];
        };
        /** @description A session in a list. */
        SessionSummary: {
            /**
             * Format: int32
             * @description Our car's best lap in milliseconds, of those that count.
             */
            best_ms?: number | null;
            /** @description Our car. */
            car_name: string;
            /** @description Its class. */
            class?: string | null;
            /** @description Who drove it last. */
            driver: string;
            end_reason?: components["schemas"]["EndReason"] | null;
            /**
             * Format: date-time
             * @description When it ended; absent while it runs, or where its end was not seen.
             */
            ended_at?: string | null;
            /** @description The game. */
            game: components["schemas"]["Game"];
            /** @description The session. */
            id: components["schemas"]["SessionId"];
            /** @description Kind. */
            kind: components["schemas"]["SessionKind"];
            /**
             * Format: int32
             * @description Which of several of its kind, from 1.
             */
            kind_number?: number | null;
            /**
             * Format: int32
             * @description Laps of our car.
             */
            laps: number;
            /**
             * Format: date-time
             * @description When something was last recorded.
             */
            last_at: string;
            rig?: components["schemas"]["RigId"] | null;
            /** @description Its name. */
            rig_name?: string | null;
            /**
             * Format: date-time
             * @description When the agent saw it begin.
             */
            started_at: string;
            /** @description Track. */
            track: string;
        };
        /** @description A snapshot of the garage settings. Two setups with the same items (key and text) are the same setup. */
        Setup: {
            /** @description The settings, in the order of (area, label, corner). */
            items: components["schemas"]["SetupItem"][];
            /** @description The name of the loaded setup file, where the game tells it. */
            name?: string | null;
        };
        /**
         * @description Where on the car a setting belongs. The dashboards group by it.
         * @enum {string}
         */
        SetupArea: "power_unit" | "driveline" | "brakes" | "aero" | "suspension" | "tyres" | "alignment" | "other";
        /** @description One setting. */
        SetupItem: {
            /** @description Where it belongs. */
            area: components["schemas"]["SetupArea"];
            corner?: components["schemas"]["Corner"] | null;
            /** @description The game's own name (`VM_BRAKE_BALANCE`, `WM_PRESSURE-W_FL`), unique in the setup. */
            key: string;
            /** @description The name for people, without the corner ("Brake bias"). */
            label: string;
            /**
             * Format: int32
             * @description The game's step index, where it gives one.
             */
            step?: number | null;
            /** @description The value as the game shows it, unit included ("55.0:45.0", "148 kPa"). */
            text: string;
        };
        /** @description A setup that was in the car. */
        SetupUse: {
            /**
             * Format: double
             * @description From when, in seconds of session time.
             */
            at_s: number;
            /** @description Which: see `/setups/{hash}`. */
            hash: string;
        };
        /** @description A new account and its first team. */
        SignUp: {
            /** @description E-mail address. */
            email: string;
            /** @description The person's name. */
            name: string;
            /** @description At least 10 characters. */
            password: string;
            /** @description The team's name; absent for somebody who joins another's. */
            team_name?: string | null;
        };
        /** @description What an agent keeps until the service has committed it. */
        SpoolState: {
            /**
             * Format: int64
             * @description Bytes that wait for an acknowledgement.
             */
            bytes: number;
            /**
             * Format: int32
             * @description How long the backlog still takes, in seconds; absent where there is none or nothing is being sent.
             */
            catching_up_s?: number | null;
            /**
             * Format: int64
             * @description Batches and records that wait.
             */
            items: number;
            /**
             * Format: int64
             * @description Batches and records that were lost for want of room, ever.
             */
            lost: number;
            /**
             * Format: int64
             * @description Age of the oldest of them in milliseconds; absent where nothing waits.
             */
            oldest_ms?: number | null;
            /** @description It is on disk; otherwise it does not survive the agent. */
            on_disk: boolean;
        };
        /** @description Consecutive laps by one driver between stops. */
        StintRow: {
            /**
             * Format: int32
             * @description Best lap in milliseconds.
             */
            best_ms?: number | null;
            /** @description Tyre compound. */
            compound?: string | null;
            /** @description Who drove. */
            driver: string;
            /**
             * Format: int32
             * @description First lap.
             */
            first_lap: number;
            /**
             * Format: int32
             * @description Laps that were seen.
             */
            laps: number;
            /**
             * Format: int32
             * @description Last lap so far.
             */
            last_lap: number;
            /**
             * Format: int32
             * @description Mean of the laps that are neither in- nor out-laps, in milliseconds.
             */
            mean_ms?: number | null;
            /**
             * Format: int32
             * @description From 1.
             */
            stint: number;
        };
        /** @description A team as one of its members sees it. */
        Team: {
            /** @description The team. */
            id: components["schemas"]["TeamId"];
            /** @description Its name. */
            name: string;
            /** @description What the caller may do in it. */
            role: components["schemas"]["Role"];
        };
        /**
         * Format: uuid
         * @description A team: the tenant.
         */
        TeamId: string;
        /** @description A token, without its secret. */
        Token: {
            /** Format: date-time */
            created_at: string;
            id: components["schemas"]["TokenId"];
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_used_at?: string | null;
            /** @description The part of the token that may be shown. */
            public_id: string;
            /** Format: date-time */
            revoked_at?: string | null;
        };
        /**
         * Format: uuid
         * @description A rig's token (its public part).
         */
        TokenId: string;
        /** @description A person. */
        User: {
            email: string;
            /** @description Whether the address was confirmed. */
            email_verified: boolean;
            id: components["schemas"]["UserId"];
            name: string;
            /** @description A new address that waits to be confirmed. */
            pending_email?: string | null;
            /**
             * Format: int64
             * @description Recovery codes that were not used.
             */
            recovery_codes_left: number;
            /**
             * Format: date-time
             * @description When the second factor was set up; absent where there is none.
             */
            second_factor_since?: string | null;
        };
        /**
         * Format: uuid
         * @description A person with an account.
         */
        UserId: string;
        /** @description Answer of `GET /api/agent/whoami`: whose token this is. */
        WhoAmI: {
            /** @description Subprotocols that the service speaks to agents. */
            protocols: string[];
            /** @description Rig. */
            rig: components["schemas"]["RigId"];
            /** @description Its name. */
            rig_name: string;
            /**
             * Format: int64
             * @description The service's clock, milliseconds since the Unix epoch.
             */
            server_ms: number;
            /** @description Team. */
            team: components["schemas"]["TeamId"];
            /** @description Its name. */
            team_name: string;
        };
        /** @description An address to write to. */
        WriteTo: {
            /** @description E-mail address. */
            email: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    about: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
        };
    };
    whoami: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhoAmI"];
                };
            };
            /** @description The token is missing, misspelt, not known or revoked */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    confirm: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            /** @description The access cookie is set anew */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Password or code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    confirm_email: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmEmail"];
            };
        };
        responses: {
            /** @description It is the account's address and confirmed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmedEmail"];
                };
            };
            /** @description The address got an account in the meantime */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The link is not good */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many tries */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogIn"];
            };
        };
        responses: {
            /** @description The cookies are set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description The password is right, and a code is needed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeNeeded"];
                };
            };
            /** @description Address or password is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description This is not an e-mail address */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    login_code: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogInCode"];
            };
        };
        responses: {
            /** @description The cookies are set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description The first step was too long ago */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many wrong codes */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookies are cleared */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    logout_everywhere: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookies are cleared */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    renew: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookies are set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The log-in has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    ask_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WriteTo"];
            };
        };
        responses: {
            /** @description If the address has an account, a letter was sent */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterSent"];
                };
            };
            /** @description This is not an e-mail address */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many letters */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    finish_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FinishReset"];
            };
        };
        responses: {
            /** @description Set: log in with it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Link or password is not good */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many tries */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignUp"];
            };
        };
        responses: {
            /** @description Made; the cookies are set */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description A letter was sent to the address */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterSent"];
                };
            };
            /** @description The address has an account; only where addresses need not be confirmed */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A value is not allowed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many sign-ups */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    finish_signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FinishSignUp"];
            };
        };
        responses: {
            /** @description Made; the cookies are set */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description The address got an account in the meantime */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Link or password is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many tries */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    resend_signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WriteTo"];
            };
        };
        responses: {
            /** @description If the address waits for a letter, it was sent */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterSent"];
                };
            };
            /** @description This is not an e-mail address */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many letters */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_channels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelRow"][];
                };
            };
        };
    };
    who: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Nobody is */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            /** @description Deleted; the cookies are cleared */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Teams would be without an owner; the message names them */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Password or code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    change_email: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeEmail"];
            };
        };
        responses: {
            /** @description A letter was sent to the new address */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterSent"];
                };
            };
            /** @description Address, password or code is not good */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many letters or failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    resend_verification: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sent, if the address is not confirmed yet */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LetterSent"];
                };
            };
            /** @description Too many letters */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description The password has to be confirmed first */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_logins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Login"][];
                };
            };
        };
    };
    end_other_logins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They have ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    end_login: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                login: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no such one */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    rename: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewName"];
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The name is not allowed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description Changed; the access cookie is set anew */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The current password, the new one or the code is not good */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    new_recovery_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            /** @description Shown this once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description There is no second factor */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Password or code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    begin_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewSecondFactor"];
                };
            };
            /** @description There is one already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The password is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    confirm_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Code"];
            };
        };
        responses: {
            /** @description The recovery codes, shown this once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description There is one already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many wrong codes */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    remove_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Proof"];
            };
        };
        responses: {
            /** @description Removed; the access cookie is set anew */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Password or code is wrong */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many failures */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_team: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewName"];
            };
        };
        responses: {
            /** @description Made; the caller owns it */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Team"];
                };
            };
            /** @description The address has to be confirmed first */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The name is not allowed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_rigs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rig"][];
                };
            };
            /** @description No such team */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_rig: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewName"];
            };
        };
        responses: {
            /** @description Made; the token is shown this once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewRig"];
                };
            };
            /** @description No such team */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The name is taken */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The name is not allowed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_rig: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                rig: components["schemas"]["RigId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such rig */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                rig: components["schemas"]["RigId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Made; the token is shown this once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description No such rig */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    revoke_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                rig: components["schemas"]["RigId"];
                token_id: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such token */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description The `next` of the page before */
                before?: string;
                /** @description 1 to 200, 50 where absent */
                limit?: number;
            };
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            /** @description No such team */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A parameter is not allowed */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    session_detail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                session: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionDetail"];
                };
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    car_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                session: components["schemas"]["SessionId"];
                car: components["schemas"]["CarKey"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Empty where nothing was seen of the car */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CarHistory"];
                };
            };
            /** @description No such session */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    lap_trace: {
        parameters: {
            query?: {
                /** @description Names with commas between; all where absent */
                channels?: string;
            };
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                session: components["schemas"]["SessionId"];
                /** @description Number of the lap, from 1 */
                lap: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A batch with opcode 2, see the protocol crate */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.onelap.trace": number[];
                };
            };
            /** @description No such session, or no samples of this lap */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description A channel is not known */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    find_setup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team: components["schemas"]["TeamId"];
                /** @description 64 hex digits */
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Setup"];
                };
            };
            /** @description No such setup */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process answers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    scrape: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus text format */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready for requests */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description The database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
